/** How often something may be done: a bucket that fills at a steady rate. */

export interface Rate {
  /** Lasting, a second. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

export class Bucket {
  readonly #rate: Rate;
  #left: number;
  #filledAt: number;

  /** @param now milliseconds of a monotonic clock. */
  constructor(rate: Rate, now = performance.now()) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#filledAt = now;
  }

  /** @returns 0 where it may be done now; else the milliseconds to wait, and nothing is taken. */
  take(now = performance.now()): number {
    const { perSecond, burst } = this.#rate;
    const gained = (Math.max(0, now - this.#filledAt) * perSecond) / 1000;
    this.#left = Math.min(burst, this.#left + gained);
    this.#filledAt = now;
    if (this.#left < 1) {
      return ((1 - this.#left) * 1000) / perSecond;
    }
    this.#left -= 1;
    return 0;
  }
}
