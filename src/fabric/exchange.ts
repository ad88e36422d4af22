/** One request over one virtual machine, from the frame that goes in to the last exit. */
import type { BaseLogger } from 'pino';
import {
  decodeResponse,
  encodeRequest,
  RESPONSE_BACKGROUND,
  RESPONSE_ERROR,
  RESPONSE_MORE,
  type RequestFrame,
} from '../channel.js';
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
  #log: GuestLog | undefined;
  #bodySent = 0;
  #status = 0;
  #flags = 0;
  #headers: readonly string[] | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #outcome: Reply | HatcheryError | undefined;
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
    return this.#outcome === undefined
      ? this.#converse(resume as Resume)
      : this.#deliver(resume, this.#outcome);
  }

  /** Runs the guest on, on a thread, until there is an outcome. */
  async #converse(resume: Resume): Promise<Reply> {
    try {
      let next: Resume | undefined = resume;
      while (this.#outcome === undefined) {
        next = this.#take(await this.#resumed(next as Resume));
      }
      return this.#deliver(next, this.#outcome);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Hands the outcome over; what is left for the guest to do, it does in the background. */
  #deliver(resume: Resume | undefined, outcome: Reply | HatcheryError): Reply {
    this.#leavePlace();
    if (resume === undefined) {
      this.#settle('final');
    } else {
      this.#background(resume);
    }
    if (outcome instanceof HatcheryError) {
      throw outcome;
    }
    return outcome;
  }

  async #background(resume: Resume): Promise<void> {
    try {
      let next: Resume | undefined = resume;
      while (next !== undefined) {
        next = this.#take(await this.#resumed(next));
      }
      this.#settle('final');
    } catch (error) {
      this.#failed(error);
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
        return this.#begin(exit);
      case 'push':
        return this.#push(exit);
      case 'pull':
        return { reason: 'chunk', bytes: this.#nextBodyBytes() };
      case 'log':
        return CONTINUE;
      case 'finish':
        if (this.#outcome !== undefined && (this.#flags & RESPONSE_BACKGROUND) !== 0) {
          return undefined;
        }
    }
    throw this.#serving.failures.whileServing(exit);
  }

  #begin(exit: Exit): Resume | undefined {
    if (this.#headers !== undefined) {
      throw this.#serving.failures.whileServing(exit);
    }
    const frame = decodeResponse(exit.payload);
    this.#status = frame.status;
    this.#flags = frame.flags;
    this.#headers = frame.headers;
    this.#collect(frame.body);
    return (frame.flags & RESPONSE_MORE) === 0 ? this.#complete() : CONTINUE;
  }

  #push(exit: Exit): Resume | undefined {
    if (this.#headers === undefined || this.#outcome !== undefined) {
      throw this.#serving.failures.whileServing(exit);
    }
    if (exit.payload.length === 0) {
      return this.#complete();
    }
    this.#collect(exit.payload);
    return CONTINUE;
  }

  #collect(bytes: Uint8Array): void {
    const limit = this.#serving.limits.maxResponseBodyBytes;
    this.#bodyBytes += bytes.length;
    if (this.#bodyBytes > limit) {
      throw new HatcheryError('RESPONSE_BODY_TOO_LARGE', {
        function: this.#serving.function,
        limit,
      });
    }
    this.#body.push(Buffer.from(bytes));
  }

  #complete(): Resume | undefined {
    const body = this.#body.length === 1 ? (this.#body[0] as Buffer) : Buffer.concat(this.#body);
    this.#body = [];
    if ((this.#flags & RESPONSE_ERROR) !== 0) {
      this.#outcome = this.#serving.failures.thrown(body.toString());
    } else {
      this.#outcome = {
        status: this.#status,
        headers: this.#headers as readonly string[],
        body,
        timeline: this.#timeline,
      };
    }
    return (this.#flags & RESPONSE_BACKGROUND) === 0 ? undefined : CONTINUE;
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

  /** Whatever failed before the last exit leaves doubts about the shell. */
  #failed(error: unknown): HatcheryError {
    this.#settle('doubtful');
    this.#leavePlace();
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
