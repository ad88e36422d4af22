/** How many instances may serve at a time, and how many requests may wait, in a whole fabric. */
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../errors.js';

/** How many requests are let in; for all functions of a fabric together. */
export interface Admission {
  /** Instances that serve at a time. */
  readonly concurrency: number;
  /** Requests that may wait for a place. */
  readonly queue: number;
  /** How long one may wait. */
  readonly queueMilliseconds: number;
  /** Instances that `spawn` made which may live at a time. */
  readonly instances: number;
}

/** How full a fabric is. */
export interface Load {
  /** Requests that wait for an instance. */
  readonly waiting: number;
  readonly queueLimit: number;
  /** Instances that serve a request each, and how many may. */
  readonly running: number;
  readonly limit: number;
  /** Instances that live until they are killed. */
  readonly spawned: number;
}

/** Errors of a system call that say that the machine has no more to give. */
const EXHAUSTED = new Set(['ENOMEM', 'EMFILE', 'ENFILE', 'ENOSPC', 'EAGAIN', 'EDQUOT']);

const RECOVERY_MILLISECONDS = 2_000;
/** What each step of the recovery gives back, as a part of what was configured. */
const RECOVERY_PART = 8;
const RETRY_SECONDS = 1;

/**
 * Places are taken and given back; whoever waits for one is told in turn. Where the machine runs out
 * of memory or descriptors there are fewer of them, until it has recovered.
 */
export class Places {
  readonly #admission: Admission;
  readonly #logger: BaseLogger;
  readonly #waiting = new Set<() => void>();
  #limit: number;
  #used = 0;
  #queued = 0;
  #spawned = 0;
  #recovery: NodeJS.Timeout | undefined;

  constructor(admission: Admission, logger: BaseLogger) {
    this.#admission = admission;
    this.#logger = logger;
    this.#limit = admission.concurrency;
  }

  /** How many there are now. */
  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  /** How full it is now. */
  get load(): Load {
    const { queue: queueLimit } = this.#admission;
    return {
      ...{ waiting: this.#queued, queueLimit },
      ...{ running: this.#used, limit: this.#limit, spawned: this.#spawned },
    };
  }

  get queueMilliseconds(): number {
    return this.#admission.queueMilliseconds;
  }

  /** Takes a place, if there is one. */
  take(): boolean {
    if (this.#used >= this.#limit) {
      return false;
    }
    this.#used += 1;
    return true;
  }

  giveBack(): void {
    this.#used -= 1;
    this.#offer();
  }

  /** Gives one back that was taken in vain, so nobody else is told. */
  drop(): void {
    this.#used -= 1;
  }

  /**
   * Takes a place in the queue.
   * @throws HatcheryError OVERLOADED when it is full. Who only waits until an instance is made, while
   *   there are places, does not count.
   */
  enterQueue(): void {
    if (this.#queued >= this.#admission.queue + Math.max(0, this.#limit - this.#used)) {
      throw overloaded(`${this.#queued} requests wait already`);
    }
    this.#queued += 1;
  }

  leaveQueue(): void {
    this.#queued -= 1;
  }

  /** Takes one of the places of spawned instances. @throws HatcheryError OVERLOADED */
  enterSpawned(): void {
    const { instances } = this.#admission;
    if (this.#spawned >= instances) {
      throw overloaded(`${instances} instances live`);
    }
    this.#spawned += 1;
  }

  leaveSpawned(): void {
    this.#spawned -= 1;
  }

  /** `listener` is called each time that a place may be had, until it is taken off again. */
  listen(listener: () => void): void {
    this.#waiting.add(listener);
  }

  unlisten(listener: () => void): void {
    this.#waiting.delete(listener);
  }

  /**
   * An instance could not be made. Where the machine has no more to give, there are fewer places from
   * now on: at most as many as are taken.
   * @returns whether it was that
   */
  shrink(error: HatcheryError): boolean {
    if (error.code !== 'DRIVER_FAILED' || !EXHAUSTED.has(String(error.details.errno))) {
      return false;
    }
    const { call, errno } = error.details;
    const limit = Math.max(1, Math.min(this.#used, this.#limit));
    if (limit < this.#limit) {
      this.#limit = limit;
      this.#logger.warn(
        { concurrency: limit, configured: this.#admission.concurrency, call, errno },
        'the machine has no more memory or descriptors: fewer instances at a time',
      );
    }
    this.#recover();
    return true;
  }

  /** Each failure in between puts it off. */
  #recover(): void {
    clearTimeout(this.#recovery);
    this.#recovery = setTimeout(() => {
      const { concurrency } = this.#admission;
      const step = Math.ceil(concurrency / RECOVERY_PART);
      this.#limit = Math.min(concurrency, this.#limit + step);
      if (this.#limit < concurrency) {
        this.#recover();
      } else {
        this.#logger.info({ concurrency }, 'as many instances at a time as configured again');
      }
      this.#offer();
    }, RECOVERY_MILLISECONDS).unref();
  }

  /** The one that was asked longest ago is asked first: each function has its turn. */
  #offer(): void {
    for (const listener of [...this.#waiting]) {
      if (this.#used >= this.#limit) {
        break;
      }
      this.#waiting.delete(listener);
      this.#waiting.add(listener);
      listener();
    }
  }

  close(): void {
    clearTimeout(this.#recovery);
  }
}

export function overloaded(reason: string): HatcheryError {
  return new HatcheryError('OVERLOADED', { reason, retryAfter: RETRY_SECONDS });
}
