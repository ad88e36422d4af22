/** Requests that wait for an instance: first come, first served, bounded in number and in time. */
import { HatcheryError } from '../errors.js';

interface Waiter<Place> {
  readonly since: number;
  admit(place: Place): void;
  refuse(error: HatcheryError): void;
}

export interface WaitingLimits {
  /** How many may wait. */
  readonly length: number;
  /** How long one may wait. */
  readonly milliseconds: number;
}

export class WaitingLine<Place> {
  readonly #limits: WaitingLimits;
  #waiters: Waiter<Place>[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /** @throws HatcheryError OVERLOADED, at once when the line is full, else when its time is over */
  enter(): Promise<Place> {
    if (this.#waiters.length >= this.#limits.length) {
      return Promise.reject(this.#overloaded(`${this.#limits.length} requests wait already`));
    }
    return new Promise((admit, refuse) => {
      this.#waiters.push({ since: performance.now(), admit, refuse });
      this.#watch();
    });
  }

  /** Gives a place to the one who waits longest; there must be one. */
  admit(place: Place): void {
    this.#next().admit(place);
  }

  /** Sends the one who waits longest away, if there is one. */
  refuse(error: HatcheryError): void {
    if (this.#waiters.length > 0) {
      this.#next().refuse(error);
    }
  }

  refuseAll(error: HatcheryError): void {
    while (this.#waiters.length > 0) {
      this.refuse(error);
    }
  }

  #next(): Waiter<Place> {
    const waiter = this.#waiters.shift() as Waiter<Place>;
    if (this.#waiters.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    return waiter;
  }

  /** One timer is enough: all wait for equally long, so the first one's time is over first. */
  #watch(): void {
    const first = this.#waiters[0];
    if (first === undefined || this.#timer !== undefined) {
      return;
    }
    const left = first.since + this.#limits.milliseconds - performance.now();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        for (let head = this.#waiters[0]; head !== undefined; head = this.#waiters[0]) {
          if (head.since + this.#limits.milliseconds > now) {
            break;
          }
          this.refuse(this.#overloaded(`none became free in ${this.#limits.milliseconds} ms`));
        }
        this.#watch();
      },
      Math.max(1, Math.ceil(left)),
    );
  }

  #overloaded(reason: string): HatcheryError {
    return new HatcheryError('OVERLOADED', { reason, retryAfter: 1 });
  }
}
