/**
 * Where the guest of a function runs first. On the calling thread there is no hand-off, but the event
 * loop waits; so that is for short runs. While requests come several at a time, other processors run
 * the guests, and the event loop has its own for HTTP.
 */
import { availableParallelism } from 'node:os';
import type { Where } from '../drivers/driver.js';

/** Above this time on the average a run is not short; the second is for requests that come alone. */
const SHORT_MILLISECONDS = 0.25;
const SHORT_ALONE_MILLISECONDS = 0.75;
/**
 * A run counts as no longer than this: one that had to wait for a processor on the way must not send
 * those after it to threads, where they would wait longer.
 */
const MOST_MILLISECONDS = 1;
/** Weight of the newest run, or turn of the event loop, in the moving averages. */
const WEIGHT = 1 / 16;
/** Above this many requests in a turn of the event loop on the average, they come in parallel. */
const PARALLEL_REQUESTS = 1.5;
/**
 * So many wait in a lane at the most: the event loop learns of a finished run only in its next turn,
 * so fewer would leave the lane idle, and runs on the calling thread meanwhile keep the loop from
 * giving it more (`npm run bench -- --only http`).
 */
const MOST_IN_LANES = 32 * Math.max(1, availableParallelism() - 1);

export class Placement {
  #averageMilliseconds = 0;
  #averagePerTurn = 0;
  #inThisTurn = 0;
  #inLanes = 0;

  choose(): Where {
    this.#countTurn();
    const alone = this.#inLanes === 0 && this.#averagePerTurn < PARALLEL_REQUESTS;
    if (this.#averageMilliseconds >= (alone ? SHORT_ALONE_MILLISECONDS : SHORT_MILLISECONDS)) {
      return 'thread';
    }
    if (alone || this.#inLanes >= MOST_IN_LANES) {
      return 'inline';
    }
    this.#inLanes += 1;
    return 'lane';
  }

  /** Takes note that a run which began at `where` is over, and what processor time it took. */
  record(where: Where, milliseconds: number): void {
    if (where === 'lane') {
      this.#inLanes -= 1;
    }
    const counted = Math.min(milliseconds, MOST_MILLISECONDS);
    this.#averageMilliseconds += (counted - this.#averageMilliseconds) * WEIGHT;
  }

  #countTurn(): void {
    if (this.#inThisTurn === 0) {
      setImmediate(() => {
        this.#averagePerTurn += (this.#inThisTurn - this.#averagePerTurn) * WEIGHT;
        this.#inThisTurn = 0;
      });
    }
    this.#inThisTurn += 1;
  }
}
