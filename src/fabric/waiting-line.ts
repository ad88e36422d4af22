/** Requests that wait for an instance: first come, first served, bounded in number and in time. */
import { HatcheryError } from '../errors.js';

interface Waiter<Place> {
  readonly since: number;
  admit(place: Place): void;
  refuse(error: HatcheryError): void;
}

export class WaitingLine<Place> {
  readonly #milliseconds: number;
  #waiters: Waiter<Place>[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param milliseconds how long one may wait. */
  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  get length(): number {
    return this.#waiters.length;
  }

  /**
   * @param room how many may wait, this one included.
   * @throws HatcheryError OVERLOADED, at once when the line is full, else when its time is over
   */
  enter(room: number): Promise<Place> {
    if (this.#waiters.length >= room) {
      return Promise.reject(overloaded(`${this.#waiters.length} requests wait already`));
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
    const left = first.since + this.#milliseconds - performance.now();
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        for (let head = this.#waiters[0]; head !== undefined; head = this.#waiters[0]) {
          if (head.since + this.#milliseconds > now) {
            break;
          }
          this.refuse(overloaded(`none became free in ${this.#milliseconds} ms`));
        }
        this.#watch();
      },
      Math.max(1, Math.ceil(left)),
    );
  }
}

function overloaded(reason: string): HatcheryError {
  return new HatcheryError('OVERLOADED', { reason, retryAfter: 1 });
}
