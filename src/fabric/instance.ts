/** An instance that lives for several requests, one after the other. */
import { HatcheryError } from '../errors.js';
import { type ColdPhases, Timeline } from '../timeline.js';
import type { MemoryUse, Remains } from '../usage.js';
import { Exchange, type Serving, type Verdict } from './exchange.js';
import type { FunctionRequest, Reply } from './message.js';
import { overloaded } from './places.js';
import type { Made } from './stock.js';
import { answer, partsOf, type RequestParts, requestFrom } from './web.js';

/** How many requests may wait for their turn. */
const QUEUE_LENGTH = 64;

/**
 * One virtual machine that keeps its state from request to request. It ends when it is killed, when
 * a request hits a limit, or when its guest crashes.
 */
export class Instance {
  /** Resolves when everything is freed, with the reason. */
  readonly ended: Promise<string>;
  readonly #made: Made;
  readonly #serving: Serving;
  readonly #onEnd: () => void;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #inFlight = 0;
  #ended: (reason: string) => void = () => {};
  #end: { readonly reason: string; readonly destroyed: Promise<Remains> } | undefined;

  /**
   * @param made becomes the instance's own.
   * @param onEnd is called once, when everything is freed.
   */
  constructor(made: Made, serving: Serving, onEnd: () => void) {
    this.#made = made;
    this.#serving = serving;
    this.#onEnd = onEnd;
    this.ended = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** What making it took. */
  get coldStart(): ColdPhases {
    return this.#made.cold;
  }

  /** How many requests wait for their turn or are answered. */
  get requestsInFlight(): number {
    return this.#inFlight;
  }

  /** Whether it can take another request. */
  get alive(): boolean {
    return this.#end === undefined;
  }

  /**
   * Bytes of memory that it has written; `undefined` where the driver keeps no record of it (Xen's PV
   * domains).
   * @throws HatcheryError SHELL_BUSY while it serves, SHELL_GONE after its end
   */
  memoryBytes(): number | undefined {
    return this.#made.shell.dirtyBytes();
  }

  /**
   * As the global `fetch`, answered by this instance.
   * @throws HatcheryError INSTANCE_GONE, OVERLOADED, and all that a function's `fetch` throws
   */
  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return answer(await partsOf(input, init), (request) => this.#handle(request, new Timeline()));
  }

  /**
   * The same by parts.
   * @param timeline gets its phases; also where there is no reply.
   */
  request(parts: RequestParts, timeline = new Timeline()): Promise<Reply> {
    return this.#handle(requestFrom(parts), timeline);
  }

  async #handle(request: FunctionRequest, timeline: Timeline): Promise<Reply> {
    timeline.accept = 0;
    if (this.#waiting >= QUEUE_LENGTH) {
      throw overloaded(`${QUEUE_LENGTH} requests wait for this instance`);
    }
    this.#waiting += 1;
    this.#inFlight += 1;
    const before = this.#turn;
    let over: () => void = () => {};
    this.#turn = new Promise<void>((resolve) => {
      over = () => {
        this.#inFlight -= 1;
        resolve();
      };
    });
    await before;
    this.#waiting -= 1;
    timeline.queue = performance.now() - timeline.start;
    return this.#exchange(request, timeline, over);
  }

  async #exchange(request: FunctionRequest, timeline: Timeline, over: () => void): Promise<Reply> {
    if (this.#end !== undefined) {
      over();
      throw this.#gone(request.id);
    }
    const settled = (verdict: Verdict) => {
      if (verdict === 'doubtful') {
        void this.end('a request failed');
      }
      this.#noteEnd(timeline);
      over();
    };
    const exchange = new Exchange(this.#serving, this.#made.shell, request, timeline, settled);
    try {
      return await exchange.run();
    } catch (error) {
      const known = HatcheryError.from(error);
      throw known.code === 'SHELL_GONE' ? this.#gone(request.id) : known;
    }
  }

  /** The instance lives on, with what it wrote in all of its requests. */
  #noteEnd(timeline: Timeline): void {
    if (this.#end === undefined) {
      timeline.noteEnd(undefined, { memory: this.#memoryUse(), cpuMicroseconds: 0 });
    } else {
      void this.#end.destroyed.then((remains) => timeline.noteEnd(undefined, remains));
    }
  }

  #memoryUse(): MemoryUse | undefined {
    try {
      return this.#made.shell.memoryUse();
    } catch {
      // What the hypervisor does not tell now is not known; the request has its answer.
      return undefined;
    }
  }

  #gone(requestId: string): HatcheryError {
    return new HatcheryError('INSTANCE_GONE', { reason: this.#end?.reason }, { requestId });
  }

  /** Ends the instance at once, even while it serves. Resolves when everything is freed. */
  kill(): Promise<void> {
    return this.end('it was killed');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  /** The same for another reason. */
  async end(reason: string): Promise<void> {
    if (this.#end === undefined) {
      const destroyed = this.#made.shell.destroy().then((remains) => {
        this.#onEnd();
        this.#ended(reason);
        return remains;
      });
      this.#end = { reason, destroyed };
    }
    await this.#end.destroyed;
  }
}
