/** Histograms as the server counts them: what happened between two readings, and its quantiles. */

export interface Histogram {
  readonly count: number;
  readonly sumMilliseconds: number;
  /** Counts, not cumulative; the last one is of what lies above all bounds. */
  readonly buckets: readonly number[];
}

export interface Quantile {
  readonly milliseconds: number;
  /** It is above the highest bound, which `milliseconds` is then. */
  readonly isAbove: boolean;
}

/** What has come since `before`, of the same server and the same bounds. */
export function difference(now: Histogram, before: Histogram | undefined): Histogram {
  if (before === undefined) {
    return now;
  }
  return {
    count: now.count - before.count,
    sumMilliseconds: now.sumMilliseconds - before.sumMilliseconds,
    buckets: now.buckets.map((count, index) => count - (before.buckets[index] ?? 0)),
  };
}

/**
 * The nearest rank's bucket, and within it a straight line.
 * @param bounds upper bounds of the buckets in milliseconds, ascending; one fewer than buckets.
 * @param part from 0 to 1: 0.99 for p99.
 * @returns `undefined` where nothing was counted
 */
export function quantile(
  bounds: readonly number[],
  { buckets }: Histogram,
  part: number,
): Quantile | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) {
    return undefined;
  }
  const rank = Math.max(1, Math.ceil(part * total));
  let below = 0;
  for (const [index, count] of buckets.entries()) {
    if (below + count >= rank) {
      const upper = bounds[index];
      const lower = bounds[index - 1] ?? 0;
      return upper === undefined
        ? { milliseconds: lower, isAbove: true }
        : { milliseconds: lower + ((rank - below) / count) * (upper - lower), isAbove: false };
    }
    below += count;
  }
  return { milliseconds: bounds.at(-1) ?? 0, isAbove: true };
}
