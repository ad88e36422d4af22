/** How long to wait before something that ended too soon is started again. */

const FIRST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 30_000;
/** What lived so long did not end too soon. */
const LONG_MILLISECONDS = 10_000;

export class Backoff {
  #soon = 0;

  /** How many in a row ended too soon. */
  get inARow(): number {
    return this.#soon;
  }

  /**
   * @param lived milliseconds that the last one lived.
   * @returns milliseconds to wait; 0 for the first, then twice as long each time.
   */
  next(lived: number): number {
    this.#soon = lived >= LONG_MILLISECONDS ? 0 : this.#soon + 1;
    const doublings = this.#soon - 2;
    return doublings < 0
      ? 0
      : Math.min(LONGEST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** Math.min(doublings, 16));
  }
}
