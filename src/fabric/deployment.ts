/** One version of a function, from its start until its last request has ended. */
import { HatcheryError } from '../errors.js';
import type { ColdPhases, Timeline } from '../timeline.js';
import { Exchange, type Serving, type Verdict } from './exchange.js';
import { closeHandlers } from './host-calls/handlers.js';
import { Instance } from './instance.js';
import type { FunctionRequest, Reply } from './message.js';
import { overloaded, type Places } from './places.js';
import type { Spawning } from './spawning.js';
import { type Made, Stock, type StockOptions } from './stock.js';
import { WaitingLine } from './waiting-line.js';

/** The virtual machines of a function that serve one request each. */
export interface Pool {
  /** With a request now. */
  readonly running: number;
  /** At their snapshot. */
  readonly ready: number;
  /** Requests in its line. */
  readonly waiting: number;
}

export class Deployment {
  readonly spawning: Spawning;
  readonly serving: Serving;
  readonly #places: Places;
  readonly #stock: Stock;
  readonly #line: WaitingLine<Made>;
  /** Exchanges that have not settled, instances that live, requests that wait. */
  #busy = 0;
  readonly #spawned = new Set<Instance>();
  #retired: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  readonly #onPlace = () => this.#admit();

  constructor(spawning: Spawning, serving: Serving, places: Places) {
    this.spawning = spawning;
    this.serving = serving;
    this.#places = places;
    this.#line = new WaitingLine(places.queueMilliseconds);
    const options: StockOptions = {
      make: () => spawning.make(),
      reusable: spawning.reusable,
      ahead: spawning.ahead,
      places,
      onAvailable: () => this.#admit(),
      onFailure: (error) => this.#makingFailed(error),
    };
    this.#stock = new Stock(options, spawning.first);
    this.#stock.demand(0);
  }

  /** How many instances it has now, and requests that wait for one. */
  get pool(): Pool {
    return { running: this.#stock.out, ready: this.#stock.ready, waiting: this.#line.length };
  }

  /**
   * Serves one request with an instance of its own. Returns the reply itself where it was there
   * without waiting.
   * @throws HatcheryError as the error that says why there is no reply
   */
  handle(request: FunctionRequest, timeline: Timeline): Reply | Promise<Reply> {
    const limit = this.serving.limits.maxRequestBodyBytes;
    if (request.body !== undefined && request.body.length > limit) {
      throw new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit }, { requestId: request.id });
    }
    const arrived = performance.now();
    timeline.accept ??= arrived - timeline.start;
    const made = this.#line.length === 0 ? this.#stock.take() : undefined;
    if (made === undefined) {
      return this.#wait(request, timeline, arrived);
    }
    timeline.queue = 0;
    timeline.spawn = performance.now() - arrived;
    return this.#serve(made, request, timeline);
  }

  async #wait(request: FunctionRequest, timeline: Timeline, arrived: number): Promise<Reply> {
    this.#busy += 1;
    try {
      const made = await this.#queue(request);
      const waited = performance.now() - arrived;
      // Where some are made ahead, the request may have waited for the end of the making only.
      const isOwn = made.since >= arrived || this.spawning.ahead === 0;
      timeline.cold = isOwn ? made.cold : undefined;
      timeline.queue = Math.max(0, waited - totalOf(timeline.cold));
      return await this.#serve(made, request, timeline);
    } catch (error) {
      const known = HatcheryError.from(error);
      known.requestId ??= request.id;
      throw known;
    } finally {
      this.#release();
    }
  }

  async #queue(request: FunctionRequest): Promise<Made> {
    this.#places.enterQueue();
    try {
      const entered = this.#line.enter((leave) => {
        request.onGone = () => leave(new HatcheryError('CLIENT_GONE'));
      });
      this.#places.listen(this.#onPlace);
      this.#stock.demand(this.#line.length);
      return await entered;
    } finally {
      request.onGone = undefined;
      this.#places.leaveQueue();
      if (this.#line.length === 0) {
        this.#places.unlisten(this.#onPlace);
      }
    }
  }

  #serve(made: Made, request: FunctionRequest, timeline: Timeline): Reply | Promise<Reply> {
    this.#busy += 1;
    return new Exchange(this.serving, made.shell, request, timeline, (verdict: Verdict) => {
      this.#stock.giveBack(made, verdict, timeline);
      this.#release();
    }).run();
  }

  /**
   * An instance that lives until it is killed or this deployment is closed.
   * @param logger gets what it logs. Default: the function's.
   * @throws HatcheryError OVERLOADED, and as making one fails
   */
  async spawn(logger = this.serving.logger): Promise<Instance> {
    this.#places.enterSpawned();
    this.#busy += 1;
    try {
      const instance = new Instance(await this.spawning.make(), { ...this.serving, logger }, () => {
        this.#spawned.delete(instance);
        this.#places.leaveSpawned();
        this.#release();
      });
      this.#spawned.add(instance);
      if (this.#closing !== undefined) {
        await instance.end('the fabric was closed');
      }
      return instance;
    } catch (error) {
      this.#places.leaveSpawned();
      this.#release();
      throw error;
    }
  }

  /**
   * The driver has lost all that it had made: what is under way ends, what comes next is made anew.
   * @param lost makes the error, one for each
   */
  renew(lost: () => HatcheryError): void {
    this.spawning.renew();
    this.serving.deadlines.lose(lost);
    this.#stock.lose();
    for (const instance of this.#spawned) {
      void instance.end('all that the driver had made was lost');
    }
    this.#admit();
  }

  #release(): void {
    this.#busy -= 1;
    if (this.#busy === 0) {
      this.#retired?.();
    }
  }

  #admit(): void {
    while (this.#line.length > 0) {
      const made = this.#stock.take();
      if (made === undefined) {
        break;
      }
      this.#line.admit(made);
    }
    this.#stock.demand(this.#line.length);
  }

  /** The one who waits longest learns of it; those behind have another try. */
  #makingFailed(error: unknown): void {
    const known = HatcheryError.from(error);
    this.serving.logger.error(
      { function: this.serving.function, err: known },
      'an instance cannot be made',
    );
    if (this.#places.shrink(known)) {
      // Those that are out come back; only where there are none, nothing is to be waited for.
      if (this.#stock.out === 0) {
        this.#line.refuseAll(overloaded('the machine has no memory or descriptors left'));
      }
    } else if (this.#line.length > 0) {
      this.#line.refuse(known);
      this.#stock.demand(this.#line.length);
    }
  }

  /** Closes once everything that has begun is over; nothing new may be begun any more. */
  async retire(): Promise<void> {
    if (this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#retired = resolve;
      });
    }
    await this.close();
  }

  /** Sends away who waits, lets finish what runs, and frees everything. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#line.refuseAll(new HatcheryError('FABRIC_CLOSED'));
    const ended = [...this.#spawned].map((instance) => instance.end('the fabric was closed'));
    await Promise.all([...ended, this.#stock.close()]);
    this.#places.unlisten(this.#onPlace);
    this.spawning.close();
    await closeHandlers(this.serving.handlers);
    this.#retired?.();
  }
}

function totalOf({ load = 0, create = 0, boot = 0, init = 0 }: ColdPhases = {}): number {
  return load + create + boot + init;
}
