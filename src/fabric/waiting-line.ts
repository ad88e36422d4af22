/** Requests that wait for an instance: first come, first served, bounded in time. */
import type { HatcheryError } from '../errors.js';
import { overloaded } from './places.js';

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
   * @param onEnter gets a function that leaves the line, with the error that says why.
   * @throws HatcheryError OVERLOADED when its time is over
   */
  enter(onEnter: (leave: (error: HatcheryError) => void) => void): Promise<Place> {
    return new Promise((admit, refuse) => {
      const waiter = { since: performance.now(), admit, refuse };
      this.#waiters.push(waiter);
      this.#watch();
      onEnter((error) => this.#leave(waiter, error));
    });
  }

  #leave(waiter: Waiter<Place>, error: HatcheryError): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) {
      this.#waiters.splice(index, 1);
      waiter.refuse(error);
    }
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
