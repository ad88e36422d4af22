/** When a server that does not answer is asked again. */

const FIRST_MILLISECONDS = 1_000;
const LAST_MILLISECONDS = 15_000;

/** @param failures in a row, from 1. @returns milliseconds */
export function retryAfter(failures: number): number {
  return Math.min(LAST_MILLISECONDS, FIRST_MILLISECONDS * 2 ** Math.min(failures - 1, 10));
}
