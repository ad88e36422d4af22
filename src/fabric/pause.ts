/** A guest that sleeps until something outside has happened: no longer than its deadline. */
import type { Failures } from './failure.js';

/** setTimeout takes no more. */
const LONGEST_TIMEOUT_MILLISECONDS = 0x7fff_ffff;

export class Pause {
  readonly #deadline: number;
  readonly #failures: Failures;
  #reject: ((error: unknown) => void) | undefined;

  /** @param deadline `performance.now()` milliseconds. */
  constructor(deadline: number, failures: Failures) {
    this.#deadline = deadline;
    this.#failures = failures;
  }

  /**
   * @returns what `waited` gives. It never rejects unheard, where nobody awaits it any more.
   * @throws HatcheryError DEADLINE_EXCEEDED, or what the pause is interrupted with
   */
  until<Value>(waited: Promise<Value>): Promise<Value> {
    const result = new Promise<Value>((resolve, reject) => {
      this.#reject = reject;
      const left = Math.max(0, Math.ceil(this.#deadline - performance.now()));
      const timer = setTimeout(
        () => reject(this.#failures.deadline()),
        Math.min(left, LONGEST_TIMEOUT_MILLISECONDS),
      );
      waited.then(resolve, reject).finally(() => clearTimeout(timer));
    });
    result.catch(() => {});
    return result;
  }

  interrupt(error: unknown): void {
    this.#reject?.(error);
  }
}
