/** The host calls of one request: those in flight, and the completions that its guest has not got. */
import {
  CALL_KIND,
  type CallFrame,
  type CallKind,
  COMPLETION_HEADER_BYTES,
  decodeCallId,
  encodeCompletion,
} from '../../call-frames.js';
import { REQUEST_CAPACITY, type Resume } from '../../drivers/driver.js';
import { HatcheryError } from '../../errors.js';
import type { Limits } from '../limits.js';
import type { CallHandler } from './call-handler.js';
import { OpenBodies } from './open-bodies.js';

/** What serves the calls of one function. */
export interface CallHandlers {
  readonly fetch: CallHandler;
  readonly binding: CallHandler;
}

/** Of which request the calls are. */
export interface CallOwner {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly limits: Limits;
  readonly handlers: CallHandlers;
  /** READ of the request's own body; what it throws ends the instance. */
  readRequest(most: number): Uint8Array | Promise<Uint8Array>;
  /** Something failed that is not the guest's to know: the instance is to be ended. */
  onFatal(error: unknown): void;
}

const MOST_IN_FRAME = REQUEST_CAPACITY - COMPLETION_HEADER_BYTES;
const TIMER: Resume = { reason: 'timer' };
/** A timer that is over already, or nearly, waits this long: else a guest could spin on the host. */
const SHORTEST_WAIT_MILLISECONDS = 1;
const LONGEST_TIMEOUT_MILLISECONDS = 0x7fff_ffff;
const NANOSECONDS_IN_MILLISECOND = 1e6;

interface Completion {
  readonly call: number;
  readonly failed: boolean;
  payload: Uint8Array;
}

/** A call of which the frames have not all come. */
interface Partial {
  readonly call: number;
  readonly kind: CallKind;
  readonly parts: Buffer[];
  bytes: number;
}

export class HostCalls {
  readonly #owner: CallOwner;
  readonly #inFlight = new Map<number, AbortController>();
  readonly #bodies: OpenBodies;
  #completions: Completion[] = [];
  #partial: Partial | undefined;
  #made = 0;
  #wake: ((resume: Resume) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(owner: CallOwner) {
    this.#owner = owner;
    this.#bodies = new OpenBodies(owner.limits.maxHostCallsInFlight);
  }

  /** How many fetches and calls of bindings there were; reads of bodies are parts of these. */
  get begun(): number {
    return this.#made;
  }

  /**
   * Takes a frame of a call, and begins the call when it is the last.
   * @throws HatcheryError HOST_CALLS_EXCEEDED, RESPONSE_INVALID
   */
  enqueue(frame: CallFrame): void {
    const partial = this.#begun(frame);
    partial.bytes += frame.payload.length;
    // Too much is not kept; the call fails when it is complete.
    if (partial.bytes <= this.#owner.limits.maxHostCallBytes) {
      partial.parts.push(Buffer.from(frame.payload));
    } else {
      partial.parts.length = 0;
    }
    if (!frame.more) {
      this.#partial = undefined;
      this.#start(partial);
    }
  }

  #begun({ call, kind }: CallFrame): Partial {
    const partial = this.#partial;
    if (partial !== undefined) {
      if (partial.call !== call || partial.kind !== kind) {
        throw invalid('a host call begins in the middle of another');
      }
      return partial;
    }
    if (this.#inFlight.has(call) || this.#bodies.has(call)) {
      if (kind !== CALL_KIND.cancel) {
        throw invalid(`the id ${call} is that of a call in flight`);
      }
    }
    this.#count(kind);
    this.#partial = { call, kind, parts: [], bytes: 0 };
    return this.#partial;
  }

  #count(kind: CallKind): void {
    if (kind === CALL_KIND.cancel) {
      return;
    }
    const { maxHostCalls, maxHostCallsInFlight } = this.#owner.limits;
    // A body may have any number of chunks; what reading them costs the host is charged by exits.
    const made = this.#made + (kind === CALL_KIND.read ? 0 : 1);
    if (made > maxHostCalls) {
      throw exceeded(maxHostCalls, 'in one request', 'maxHostCalls');
    }
    // What has completed and was not collected takes the host's memory as well.
    if (this.#inFlight.size + this.#completions.length >= maxHostCallsInFlight) {
      throw exceeded(maxHostCallsInFlight, 'at a time', 'maxHostCallsInFlight');
    }
    this.#made = made;
  }

  #start({ call, kind, parts, bytes }: Partial): void {
    const { maxHostCallBytes } = this.#owner.limits;
    if (bytes > maxHostCallBytes) {
      this.#inFlight.set(call, new AbortController());
      this.#fail(call, new HatcheryError('HOST_CALL_TOO_LARGE', { limit: maxHostCallBytes }));
      return;
    }
    const payload = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, bytes);
    switch (kind) {
      case CALL_KIND.fetch:
        void this.#run(call, this.#owner.handlers.fetch, payload);
        break;
      case CALL_KIND.binding:
        void this.#run(call, this.#owner.handlers.binding, payload);
        break;
      case CALL_KIND.read:
        void this.#read(call, decodeCallId(payload));
        break;
      case CALL_KIND.cancel:
        this.#cancel(decodeCallId(payload));
    }
  }

  async #run(call: number, handler: CallHandler, payload: Buffer): Promise<void> {
    const { requestId, traceparent, tracestate, limits } = this.#owner;
    await this.#bounded(call, async (signal) => {
      const { payload: answer, body } = await handler.call(payload, {
        signal,
        requestId,
        traceparent,
        tracestate,
      });
      const tooLarge = answer.length > limits.maxHostCallBytes;
      if (body !== undefined && (signal.aborted || tooLarge)) {
        OpenBodies.discard(body);
      } else if (body !== undefined) {
        this.#bodies.add(call, body);
      }
      if (tooLarge) {
        throw new HatcheryError('HOST_CALL_TOO_LARGE', { limit: limits.maxHostCallBytes });
      }
      return answer;
    });
  }

  async #read(call: number, of: number): Promise<void> {
    if (of !== 0) {
      await this.#bounded(call, (signal) => {
        // A body of which a read was given up has lost bytes.
        signal.addEventListener('abort', () => this.#bodies.discard(of), { once: true });
        return this.#bodies.read(of, MOST_IN_FRAME);
      });
      return;
    }
    this.#inFlight.set(call, new AbortController());
    try {
      this.#complete({
        call,
        failed: false,
        payload: await this.#owner.readRequest(MOST_IN_FRAME),
      });
    } catch (error) {
      this.#owner.onFatal(error);
    }
  }

  /** Runs a call within its time, and completes it. Never throws. */
  async #bounded(call: number, run: (signal: AbortSignal) => Promise<Uint8Array>): Promise<void> {
    const controller = new AbortController();
    this.#inFlight.set(call, controller);
    const { signal } = controller;
    const limit = this.#owner.limits.hostCallMilliseconds;
    const timer = setTimeout(
      () => controller.abort(new HatcheryError('HOST_CALL_TIMEOUT', { limit })),
      limit,
    );
    // A handler may be deaf to its signal; the guest is not to wait for it.
    const over = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      const payload = await Promise.race([run(signal), over]);
      this.#complete({ call, failed: false, payload });
    } catch (error) {
      this.#fail(call, signal.aborted ? signal.reason : error);
    } finally {
      clearTimeout(timer);
    }
  }

  #fail(call: number, error: unknown): void {
    this.#complete({ call, failed: true, payload: failureReport(error) });
  }

  /** What was cancelled meanwhile, or comes after the end, is dropped. */
  #complete(completion: Completion): void {
    if (!this.#inFlight.delete(completion.call)) {
      return;
    }
    this.#completions.push(completion);
    const wake = this.#wake;
    if (wake !== undefined) {
      this.#stopWaiting();
      wake(this.#next());
    }
  }

  #cancel(call: number): void {
    const controller = this.#inFlight.get(call);
    this.#inFlight.delete(call);
    controller?.abort(new HatcheryError('CLIENT_GONE'));
    this.#completions = this.#completions.filter((completion) => completion.call !== call);
    this.#bodies.discard(call);
  }

  /**
   * What the guest is to get next: a completion, at once where there is one, or its timer.
   * @param until nanoseconds of CLOCK_MONOTONIC; `undefined` is for ever.
   * @returns `undefined` where nothing can come any more.
   */
  next(until: bigint | undefined): Resume | Promise<Resume> | undefined {
    if (this.#completions.length > 0) {
      return this.#next();
    }
    if (until === undefined && this.#inFlight.size === 0) {
      return undefined;
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (until !== undefined) {
        this.#sleep(until);
      }
    });
  }

  #sleep(until: bigint): void {
    const left = Number(until - process.hrtime.bigint()) / NANOSECONDS_IN_MILLISECOND;
    const milliseconds = Math.min(
      LONGEST_TIMEOUT_MILLISECONDS,
      Math.max(SHORTEST_WAIT_MILLISECONDS, Math.ceil(left)),
    );
    this.#timer = setTimeout(() => {
      const wake = this.#wake;
      this.#stopWaiting();
      wake?.(TIMER);
    }, milliseconds);
  }

  #stopWaiting(): void {
    this.#wake = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The next frame; a large payload comes in several. */
  #next(): Resume {
    const completion = this.#completions[0] as Completion;
    const payload = completion.payload.subarray(0, MOST_IN_FRAME);
    const more = payload.length < completion.payload.length;
    if (more) {
      completion.payload = completion.payload.subarray(MOST_IN_FRAME);
    } else {
      this.#completions.shift();
    }
    const { call, failed } = completion;
    return { reason: 'completion', bytes: encodeCompletion({ call, failed, more, payload }) };
  }

  /** Ends what is in flight; nothing that comes later is kept. */
  close(): void {
    this.#stopWaiting();
    const gone = new HatcheryError('CLIENT_GONE');
    for (const controller of this.#inFlight.values()) {
      controller.abort(gone);
    }
    this.#inFlight.clear();
    this.#bodies.close();
    this.#completions = [];
  }
}

/** What the guest gets of an error: no stack, no cause, no details. */
function failureReport(error: unknown): Uint8Array {
  const { name, message, code } =
    error instanceof Error ? (error as Error & { code?: unknown }) : plainError(error);
  return Buffer.from(
    JSON.stringify({ name, message, ...(typeof code === 'string' ? { code } : {}) }),
  );
}

function plainError(thrown: unknown): { name: string; message: string; code?: unknown } {
  return { name: 'Error', message: String(thrown) };
}

function exceeded(limit: number, how: string, name: string): HatcheryError {
  return new HatcheryError('HOST_CALLS_EXCEEDED', { limit, how, name });
}

function invalid(reason: string): HatcheryError {
  return new HatcheryError('RESPONSE_INVALID', { reason });
}
