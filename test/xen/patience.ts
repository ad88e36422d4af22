/** Waiting that ends: what did not happen in time is named, where a plain wait would hang a whole file. */

import { setTimeout as sleep } from 'node:timers/promises';

/** For one thing to happen, in emulation within emulation, beside other load. */
const PATIENCE_MILLISECONDS = 60_000;
const LOOK_MILLISECONDS = 50;

/**
 * What a promise gives.
 * @param what is awaited, for the error that it did not happen
 */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  milliseconds = PATIENCE_MILLISECONDS,
): Promise<T> {
  const over = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: over.signal }).then(() => {
    throw new Error(`it took more than ${milliseconds} ms: ${what}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

/** Looks again and again, until there is something. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  milliseconds = PATIENCE_MILLISECONDS,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const found = await within(what, look(), Math.max(1, deadline - performance.now()));
    if (found !== undefined && found !== false) {
      return found;
    }
    await sleep(LOOK_MILLISECONDS);
  }
}
