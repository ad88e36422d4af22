/**
 * Where a function's guest runs first: on the calling thread, which costs no hand-off but keeps the
 * event loop waiting, or on a thread of the driver's.
 */

/** Below this time on the average a hand-off costs more than it frees. */
const SHORT_MILLISECONDS = 0.25;
/** Weight of the newest run in the moving average. */
const WEIGHT = 1 / 16;

export class Placement {
  #averageMilliseconds = 0;

  /** Takes note of how long a run took. */
  record(milliseconds: number): void {
    this.#averageMilliseconds += (milliseconds - this.#averageMilliseconds) * WEIGHT;
  }

  choose(): 'inline' | 'thread' {
    return this.#averageMilliseconds < SHORT_MILLISECONDS ? 'inline' : 'thread';
  }
}
