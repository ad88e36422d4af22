/** The buckets of all histograms: 1, 2 and 5 of each power of ten, from 10 µs to 10 s. */
const STEPS = ['1', '2', '5'] as const;
const FIRST_EXPONENT = -2;
const LAST_EXPONENT = 3;

/** @param exponent of ten that a millisecond has in the unit. */
function boundsIn(exponent: number): number[] {
  const bounds: number[] = [];
  for (let power = FIRST_EXPONENT; power <= LAST_EXPONENT; power += 1) {
    // Read as text, so that each is the nearest number to what it says.
    bounds.push(...STEPS.map((step) => Number(`${step}e${power + exponent}`)));
  }
  return [...bounds, Number(`1e${LAST_EXPONENT + 1 + exponent}`)];
}

/** Upper bounds, which are part of their buckets, ascending; above the last one is one bucket more. */
export const BOUNDS_MILLISECONDS: readonly number[] = boundsIn(0);
export const BOUNDS_SECONDS: readonly number[] = boundsIn(-3);
export const BUCKETS = BOUNDS_MILLISECONDS.length + 1;

/** The bucket of a duration, from 0. */
export function bucketOf(milliseconds: number): number {
  let low = 0;
  let high = BOUNDS_MILLISECONDS.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (milliseconds <= (BOUNDS_MILLISECONDS[middle] as number)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
