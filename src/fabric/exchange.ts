/** One request over one virtual machine, from the frame that goes in to the last exit. */
import type { BaseLogger } from 'pino';
import { decodeCall, decodeWait } from '../call-frames.js';
import { encodeRequest } from '../channel.js';
import {
  type Exit,
  REQUEST_CAPACITY,
  type Resume,
  type Shell,
  type Where,
} from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { Timeline } from '../timeline.js';
import { Meter } from '../usage.js';
import type { Bounded, Deadlines } from './deadlines.js';
import type { Failures } from './failure.js';
import { GuestLog } from './guest-log.js';
import { type CallHandlers, HostCalls } from './host-calls/host-calls.js';
import { type AvailableResponse, IncomingResponse } from './incoming-response.js';
import type { Limits } from './limits.js';
import type { FunctionRequest, Reply } from './message.js';
import type { Placement } from './placement.js';
import type { Redaction } from './redaction.js';
import { RequestBody } from './request-body.js';

/** What the exchanges of one function have in common. */
export interface Serving {
  readonly function: string;
  readonly limits: Limits;
  readonly failures: Failures;
  readonly placement: Placement;
  readonly deadlines: Deadlines;
  readonly handlers: CallHandlers;
  readonly logger: BaseLogger;
  readonly redaction: Redaction;
}

/**
 * What an exchange leaves: a guest that has not run, one that ended as the ABI says, or one that
 * must not be used again.
 */
export type Verdict = 'unused' | 'final' | 'doubtful';

const CONTINUE: Resume = { reason: 'continue' };

/**
 * Processor time that each exit costs the guest besides its own: the host works for it as well, and
 * a guest could else keep the event loop busy with exits that are cheap for itself.
 */
const EXIT_MILLISECONDS = 0.02;

/** Frames are laid here; a driver reads them before its `run` returns, so one window is enough. */
const WINDOW = Buffer.allocUnsafeSlow(REQUEST_CAPACITY);

export class Exchange implements Bounded {
  /** `performance.now()` milliseconds. */
  readonly deadline: number;
  readonly #serving: Serving;
  readonly #shell: Shell;
  readonly #request: FunctionRequest;
  readonly #timeline: Timeline;
  readonly #settled: (verdict: Verdict) => void;
  readonly #response: IncomingResponse;
  readonly #meter = new Meter();
  #cpuLeft: number;
  #body: RequestBody | undefined;
  #calls: HostCalls | undefined;
  #log: GuestLog | undefined;
  #bodySent = 0;
  /** Ends what the exchange awaits now. */
  #interrupt: ((error: unknown) => void) | undefined;
  #isWatched = false;
  #isDelivered = false;
  #isSettled = false;
  #where: Where | undefined;
  /** Why the exchange was ended from outside. */
  #ended: unknown;

  /**
   * @param shell at its snapshot point, or after a final exit; the exchange's until `settled`.
   * @param settled is called once, when the shell is free: after the reply, where the guest goes on
   *   in the background.
   */
  constructor(
    serving: Serving,
    shell: Shell,
    request: FunctionRequest,
    timeline: Timeline,
    settled: (verdict: Verdict) => void,
  ) {
    const { limits } = serving;
    this.#serving = serving;
    this.#shell = shell;
    this.#request = request;
    this.#timeline = timeline;
    this.#settled = settled;
    this.deadline = performance.now() + limits.wallMilliseconds;
    this.#cpuLeft = limits.cpuMilliseconds;
    this.#response = new IncomingResponse(limits, () => this.#gone());
    timeline.guest = 0;
  }

  /**
   * Runs the guest. Returns the reply itself where the guest answered within a slice on the calling
   * thread, else a promise.
   * @throws HatcheryError as the error that says why there is no reply
   */
  run(): Reply | Promise<Reply> {
    try {
      const frame = this.#layRequest();
      this.#timeline.meter = this.#meter;
      const exit = this.#shell.run(
        { reason: 'request', bytes: frame },
        this.deadline,
        this.#cpuLeft,
        this.#place(),
      );
      return exit instanceof Promise ? this.#follow(this.#until(exit)) : this.#proceed(exit);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #layRequest(): Uint8Array {
    const { maxRequestHeadBytes: bytes, maxHeaders: headers } = this.#serving.limits;
    const { rest } = this.#request;
    try {
      const limits = { bytes, headers };
      const laid = encodeRequest(WINDOW, this.#request, limits, rest !== undefined);
      this.#bodySent = laid.bodyBytes;
      return WINDOW.subarray(0, laid.frameBytes);
    } catch (error) {
      this.#settle('unused');
      throw error;
    }
  }

  async #follow(first: Promise<Exit>): Promise<Reply> {
    try {
      return await this.#proceed(await first);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #proceed(exit: Exit): Reply | Promise<Reply> {
    this.#timeline.spawn = (this.#timeline.spawn ?? 0) + exit.spawnMicroseconds / 1000;
    const next = this.#take(exit);
    const { available } = this.#response;
    return available === undefined
      ? this.#converse(next as Resume | Promise<Resume>)
      : this.#deliver(available, next);
  }

  /** Runs the guest on, on a thread, until there is a response to hand on. */
  async #converse(first: Resume | Promise<Resume>): Promise<Reply> {
    try {
      let next: Resume | Promise<Resume> | undefined = first;
      let available: AvailableResponse | undefined;
      while (available === undefined) {
        next = this.#take(await this.#resumed(await (next as Resume | Promise<Resume>)));
        available = this.#response.available;
      }
      return this.#deliver(available, next);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Hands the response over; what is left for the guest to do, it does in the background. */
  #deliver(response: AvailableResponse, next: Resume | Promise<Resume> | undefined): Reply {
    this.#isDelivered = true;
    this.#leavePlace();
    this.#account();
    if (next === undefined) {
      this.#settle('final');
    } else {
      this.#goOn(next);
    }
    const { status, headers, body, isErrorReport } = response;
    if (isErrorReport) {
      throw this.#serving.failures.thrown(body.toString());
    }
    return { status, headers, body, timeline: this.#timeline };
  }

  async #goOn(first: Resume | Promise<Resume>): Promise<void> {
    try {
      let next: Resume | Promise<Resume> | undefined = first;
      while (next !== undefined) {
        next = this.#take(await this.#resumed(await next));
      }
      this.#settle('final');
    } catch (error) {
      this.#settle('doubtful');
      this.#response.fail(this.#named(this.#ended ?? error));
    }
  }

  async #resumed(resume: Resume): Promise<Exit> {
    // A guest that exits again and again must not outlive its limits either.
    if (performance.now() >= this.deadline) {
      throw this.#serving.failures.deadline();
    }
    if (this.#cpuLeft <= 0) {
      throw this.#serving.failures.cpu();
    }
    const exit = this.#shell.run(resume, this.deadline, this.#cpuLeft, 'thread');
    return exit instanceof Promise ? this.#until(exit) : exit;
  }

  /**
   * Takes what an exit brings.
   * @returns how the guest is to go on, perhaps later; `undefined` after the last exit.
   */
  #take(exit: Exit): Resume | Promise<Resume> | undefined {
    this.#timeline.guest = (this.#timeline.guest as number) + exit.guestMicroseconds / 1000;
    this.#meter.cpuMicroseconds += exit.cpuMicroseconds;
    this.#cpuLeft -= exit.cpuMicroseconds / 1000 + EXIT_MILLISECONDS;
    if (exit.logs !== undefined) {
      this.#writeLog(exit.logs);
    }
    switch (exit.kind) {
      case 'respond':
        return this.#afterResponse(this.#response.begin(exit.payload));
      case 'push':
        return this.#afterResponse(this.#response.push(exit.payload));
      case 'pull':
        return this.#nextChunk();
      case 'call':
        this.#hostCalls().enqueue(decodeCall(exit.payload));
        return CONTINUE;
      case 'wait':
        return this.#completion(decodeWait(exit.payload));
      case 'log':
        return CONTINUE;
      case 'finish':
        if (this.#response.isComplete && this.#response.hasBackground) {
          return undefined;
        }
    }
    throw this.#serving.failures.whileServing(exit);
  }

  #writeLog(records: Uint8Array): void {
    const { function: name, limits, logger, redaction } = this.#serving;
    const context = { function: name, requestId: this.#request.id };
    this.#log ??= new GuestLog(logger, context, limits.maxLogBytes, redaction);
    this.#log.write(records);
  }

  /** @param taken the client has not yet taken what it got. */
  #afterResponse(taken: Promise<void> | undefined): Resume | Promise<Resume> | undefined {
    if (this.#response.isComplete) {
      this.#request.onGone = undefined;
      if (!this.#response.hasBackground) {
        return undefined;
      }
    }
    return taken === undefined ? CONTINUE : this.#until(taken.then(() => CONTINUE));
  }

  #nextChunk(): Resume | Promise<Resume> {
    const chunk = this.#requestBody().read(REQUEST_CAPACITY);
    return chunk instanceof Promise
      ? this.#until(chunk.then((bytes) => ({ reason: 'chunk', bytes }) as const))
      : { reason: 'chunk', bytes: chunk };
  }

  #completion(until: bigint | undefined): Resume | Promise<Resume> {
    const next = this.#hostCalls().next(until);
    if (next === undefined) {
      throw this.#serving.failures.stalled('it waits with no host call in flight');
    }
    return next instanceof Promise ? this.#until(next) : next;
  }

  #requestBody(): RequestBody {
    const { body, rest } = this.#request;
    this.#body ??= new RequestBody(
      body ?? new Uint8Array(),
      this.#bodySent,
      rest,
      this.#serving.limits.maxRequestBodyBytes,
    );
    return this.#body;
  }

  #hostCalls(): HostCalls {
    this.#calls ??= new HostCalls({
      requestId: this.#request.id,
      traceparent: this.#header('traceparent'),
      tracestate: this.#header('tracestate'),
      limits: this.#serving.limits,
      handlers: this.#serving.handlers,
      readRequest: (most) => this.#requestBody().read(most),
      onFatal: (error) => this.#end(error),
    });
    return this.#calls;
  }

  /** The values of all headers of that name, as one. */
  #header(name: string): string | undefined {
    const { headers } = this.#request;
    const values = headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name);
    return values.length === 0 ? undefined : values.join(',');
  }

  /** What is awaited, as long as the exchange is not ended. It may reject unheard. */
  #until<Value>(awaited: Promise<Value>): Promise<Value> {
    if (!this.#isWatched) {
      this.#isWatched = true;
      this.#serving.deadlines.watch(this);
      if (!this.#response.isComplete) {
        this.#request.onGone = () => this.#gone();
      }
    }
    const result = new Promise<Value>((resolve, reject) => {
      this.#interrupt = reject;
      awaited.then(resolve, reject);
    });
    result.catch(() => {});
    return result;
  }

  onDeadline(): void {
    this.#end(this.#serving.failures.deadline());
  }

  onLost(error: HatcheryError): void {
    this.#end(error);
  }

  /** Nobody waits for the answer any more. */
  #gone(): void {
    this.#end(new HatcheryError('CLIENT_GONE'));
  }

  /** Ends the guest from outside, whether it runs or waits. */
  #end(error: unknown): void {
    if (this.#ended === undefined && !this.#isSettled) {
      this.#ended = error;
      this.#interrupt?.(error);
      void this.#shell.destroy();
    }
  }

  #place(): Where {
    this.#where = this.#serving.placement.choose();
    return this.#where;
  }

  /** With the first outcome; what the guest does in the background does not count. */
  #leavePlace(): void {
    if (this.#where !== undefined) {
      this.#serving.placement.record(this.#where, this.#meter.cpuMicroseconds / 1000);
      this.#where = undefined;
    }
  }

  /** Puts down what is counted elsewhere. */
  #account(): void {
    const meter = this.#meter;
    meter.bytesIn = this.#body?.bytes ?? this.#request.body?.length ?? 0;
    meter.bytesOut = this.#response.bodyBytes;
    meter.hostCalls = this.#calls?.begun ?? 0;
  }

  #settle(verdict: Verdict): void {
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#account();
      this.#meter.stop();
      if (this.#isWatched) {
        this.#serving.deadlines.unwatch(this);
      }
      this.#request.onGone = undefined;
      this.#calls?.close();
      // Also where no guest has read of it.
      if (this.#request.rest !== undefined) {
        this.#requestBody().close();
      }
      this.#settled(this.#ended === undefined ? verdict : 'doubtful');
    }
  }

  /** What fails before the response is there leaves doubts about the shell. */
  #failed(error: unknown): HatcheryError {
    if (!this.#isDelivered) {
      this.#settle('doubtful');
      this.#leavePlace();
    }
    return this.#named(this.#ended ?? error);
  }

  /** The error with the request's name, once reported. */
  #named(error: unknown): HatcheryError {
    const known = HatcheryError.from(error);
    if (known.requestId === undefined) {
      known.requestId = this.#request.id;
      this.#report(known);
    }
    return known;
  }

  #report(error: HatcheryError): void {
    const { function: name, logger } = this.#serving;
    const { code, details, requestId, message } = error;
    if (error.status >= 500) {
      logger.error({ ...details, function: name, requestId, code, err: error.cause }, message);
    }
  }
}
