/**
 * Ends the exchanges of one function that have lasted too long, whatever their guests are doing: a
 * guest's own thread may have to wait for a processor before it can notice.
 */
import type { HatcheryError } from '../errors.js';

/** Something that must not last longer than `deadline`. */
export interface Bounded {
  /** `performance.now()` milliseconds. */
  readonly deadline: number;
  /** The time is over. */
  onDeadline(): void;
  /** Its guest is lost. */
  onLost(error: HatcheryError): void;
}

/** All that it watches may last equally long, so one timer is enough: the first one's. */
export class Deadlines {
  readonly #watched = new Set<Bounded>();
  #timer: NodeJS.Timeout | undefined;

  watch(bounded: Bounded): void {
    this.#watched.add(bounded);
    if (this.#timer === undefined) {
      this.#arm(bounded.deadline);
    }
  }

  /** The guests of all that it watches are lost; `error` makes the error for one. */
  lose(error: () => HatcheryError): void {
    for (const bounded of this.#watched) {
      this.#watched.delete(bounded);
      bounded.onLost(error());
    }
  }

  unwatch(bounded: Bounded): void {
    this.#watched.delete(bounded);
  }

  #arm(deadline: number): void {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    this.#timer = setTimeout(() => this.#check(), left).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const bounded of this.#watched) {
      if (bounded.deadline > now) {
        this.#arm(bounded.deadline);
        return;
      }
      this.#watched.delete(bounded);
      bounded.onDeadline();
    }
  }
}
