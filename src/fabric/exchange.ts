/** One request over one virtual machine, from the frame that goes in to the last exit. */
import type { BaseLogger } from 'pino';
import { encodeRequest, type RequestFrame } from '../channel.js';
import {
  type Exit,
  REQUEST_CAPACITY,
  type Resume,
  type Shell,
  type Where,
} from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { Timeline } from '../timeline.js';
import type { Failures } from './failure.js';
import { GuestLog } from './guest-log.js';
import { type CompleteResponse, IncomingResponse } from './incoming-response.js';
import type { Limits } from './limits.js';
import type { Placement } from './placement.js';

/** A request for a function. */
export interface FunctionRequest extends RequestFrame {
  /** Names it in logs and errors. */
  readonly id: string;
}

/** What a function answered. */
export interface Reply {
  /** 200 to 599. */
  readonly status: number;
  /** Name and value in turn, names in lower case; valid by RFC 9110. */
  readonly headers: readonly string[];
  /** The caller's. */
  readonly body: Buffer;
  /** Without the phase `reply`, which is the caller's to set. */
  readonly timeline: Timeline;
}

/** What the exchanges of one function have in common. */
export interface Serving {
  readonly function: string;
  readonly limits: Limits;
  readonly failures: Failures;
  readonly placement: Placement;
  readonly logger: BaseLogger;
}

/**
 * What an exchange leaves: a guest that has not run, one that ended as the ABI says, or one that
 * must not be used again.
 */
export type Verdict = 'unused' | 'final' | 'doubtful';

const CONTINUE: Resume = { reason: 'continue' };

/** Frames are laid here; a driver reads them before its `run` returns, so one window is enough. */
const WINDOW = Buffer.allocUnsafeSlow(REQUEST_CAPACITY);

export class Exchange {
  readonly #serving: Serving;
  readonly #shell: Shell;
  readonly #request: FunctionRequest;
  readonly #timeline: Timeline;
  readonly #settled: (verdict: Verdict) => void;
  readonly #deadline: number;
  readonly #response: IncomingResponse;
  #log: GuestLog | undefined;
  #bodySent = 0;
  #isDelivered = false;
  #isSettled = false;
  #where: Where | undefined;

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
    this.#serving = serving;
    this.#shell = shell;
    this.#request = request;
    this.#timeline = timeline;
    this.#settled = settled;
    this.#deadline = performance.now() + serving.limits.wallMilliseconds;
    this.#response = new IncomingResponse(serving.limits.maxResponseBodyBytes);
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
      const exit = this.#shell.run(
        { reason: 'request', bytes: frame },
        this.#deadline,
        this.#place(),
      );
      return exit instanceof Promise ? this.#follow(exit) : this.#proceed(exit);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #layRequest(): Uint8Array {
    try {
      const { frameBytes, bodyBytes } = encodeRequest(WINDOW, this.#request);
      this.#bodySent = bodyBytes;
      return WINDOW.subarray(0, frameBytes);
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
    const resume = this.#take(exit);
    const { complete } = this.#response;
    return complete === undefined
      ? this.#converse(resume as Resume)
      : this.#deliver(complete, resume);
  }

  /** Runs the guest on, on a thread, until its response is complete. */
  async #converse(resume: Resume): Promise<Reply> {
    try {
      let next: Resume | undefined = resume;
      while (this.#response.complete === undefined) {
        next = this.#take(await this.#resumed(next as Resume));
      }
      return this.#deliver(this.#response.complete, next);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Hands the response over; what is left for the guest to do, it does in the background. */
  #deliver(response: CompleteResponse, resume: Resume | undefined): Reply {
    this.#isDelivered = true;
    this.#leavePlace();
    if (resume === undefined) {
      this.#settle('final');
    } else {
      this.#background(resume);
    }
    const { status, headers, body, isErrorReport } = response;
    if (isErrorReport) {
      throw this.#serving.failures.thrown(body.toString());
    }
    return { status, headers, body, timeline: this.#timeline };
  }

  async #background(resume: Resume): Promise<void> {
    try {
      let next: Resume | undefined = resume;
      while (next !== undefined) {
        next = this.#take(await this.#resumed(next));
      }
      this.#settle('final');
    } catch (error) {
      this.#settle('doubtful');
      this.#named(error);
    }
  }

  async #resumed(resume: Resume): Promise<Exit> {
    // A guest that exits again and again must not outlive its deadline either.
    if (performance.now() >= this.#deadline) {
      throw this.#serving.failures.deadline();
    }
    return this.#shell.run(resume, this.#deadline, 'thread');
  }

  /** Takes what an exit brings. @returns how the guest is to go on; `undefined` after the last. */
  #take(exit: Exit): Resume | undefined {
    this.#timeline.guest = (this.#timeline.guest as number) + exit.guestMicroseconds / 1000;
    if (exit.logs !== undefined) {
      this.#log ??= new GuestLog(this.#serving.logger, {
        function: this.#serving.function,
        requestId: this.#request.id,
      });
      this.#log.write(exit.logs);
    }
    switch (exit.kind) {
      case 'respond':
        this.#response.begin(exit.payload);
        return this.#afterResponse();
      case 'push':
        this.#response.push(exit.payload);
        return this.#afterResponse();
      case 'pull':
        return { reason: 'chunk', bytes: this.#nextBodyBytes() };
      case 'log':
        return CONTINUE;
      case 'finish':
        if (this.#response.complete !== undefined && this.#response.hasBackground) {
          return undefined;
        }
    }
    throw this.#serving.failures.whileServing(exit);
  }

  #afterResponse(): Resume | undefined {
    const { complete, hasBackground } = this.#response;
    return complete !== undefined && !hasBackground ? undefined : CONTINUE;
  }

  #nextBodyBytes(): Uint8Array {
    const start = this.#bodySent;
    const chunk = this.#request.body?.subarray(start, start + REQUEST_CAPACITY);
    this.#bodySent += chunk?.length ?? 0;
    return chunk ?? new Uint8Array();
  }

  #place(): Where {
    this.#where = this.#serving.placement.choose();
    return this.#where;
  }

  /** With the first outcome; what the guest does in the background does not count. */
  #leavePlace(): void {
    if (this.#where !== undefined) {
      this.#serving.placement.record(this.#where, this.#timeline.guest as number);
      this.#where = undefined;
    }
  }

  #settle(verdict: Verdict): void {
    if (!this.#isSettled) {
      this.#isSettled = true;
      this.#settled(verdict);
    }
  }

  /** What fails before the response is there leaves doubts about the shell. */
  #failed(error: unknown): HatcheryError {
    if (!this.#isDelivered) {
      this.#settle('doubtful');
      this.#leavePlace();
    }
    return this.#named(error);
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
