/** The few statistics that the benchmarks report. All of them leave their input as it is. */

/**
 * The smallest sample that is not below `share` of all samples (nearest rank, no interpolation, so
 * the result is always a value that was measured).
 *
 * @param share 0 to 1; 0.5 is the median, 0.99 the 99th percentile.
 * @throws RangeError without samples, or for a share outside 0 to 1.
 */
export function quantile(samples: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be 0 to 1, not ${share}`);
  const sorted = Float64Array.from(samples).sort();
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('there are no samples');
  return value;
}

/** The lower median: {@link quantile} of 0.5. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** What the samples of several rounds come to, in the unit of the samples. */
export interface Summary {
  readonly rounds: number;
  readonly samples: number;
  /** The median over the rounds of each round's median. */
  readonly p50: number;
  /**
   * The median over the rounds of each round's 99th percentile, so that one disturbed round does not
   * decide. Rounds of fewer than 100 samples have no such percentile: they are taken together.
   */
  readonly p99: number;
}

const SAMPLES_FOR_P99 = 100;

/** @throws RangeError when there is no round, or a round without samples. */
export function summarize(rounds: readonly (readonly number[])[]): Summary {
  const large = rounds.every((round) => round.length >= SAMPLES_FOR_P99);
  return {
    rounds: rounds.length,
    samples: rounds.reduce((sum, round) => sum + round.length, 0),
    p50: median(rounds.map((round) => quantile(round, 0.5))),
    p99: large
      ? median(rounds.map((round) => quantile(round, 0.99)))
      : quantile(rounds.flat(), 0.99),
  };
}

/**
 * How many times the baseline the subject takes: the median over the rounds of the ratio of the two
 * medians of one round, so that a machine that is slow for a while is slow for both.
 *
 * @throws RangeError when the two do not have the same number of rounds, or none.
 */
export function ratio(
  subject: readonly (readonly number[])[],
  baseline: readonly (readonly number[])[],
): number {
  if (subject.length !== baseline.length) {
    throw new RangeError(`${subject.length} rounds compared with ${baseline.length}`);
  }
  return median(subject.map((round, index) => median(round) / median(baseline[index] ?? [])));
}
