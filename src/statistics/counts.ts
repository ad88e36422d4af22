/** What is counted of the requests of one function, or of all: outcomes, durations, what they used. */
import { COLD_PHASES, PHASES } from '../timeline.js';
import type { Usage } from '../usage.js';
import { BUCKETS, bucketOf } from './buckets.js';

export const OUTCOMES = ['served', 'refused', 'killed', 'crashed'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

/** `total`: from a request's arrival to the end of its reply. */
export const DURATIONS = [...PHASES, ...COLD_PHASES, 'total'] as const;
export type DurationName = (typeof DURATIONS)[number];

export interface Histogram {
  readonly count: number;
  readonly sumMilliseconds: number;
  /** How many are in each bucket, not in those below it. */
  readonly buckets: number[];
}

const USAGE = [
  ...(['cpuMicroseconds', 'dirtyMemoryBytes', 'bytesIn', 'bytesOut', 'hostCalls'] as const),
  // The largest, where all others are sums.
  'peakMemoryBytes',
] as const satisfies readonly (keyof Usage)[];

/** Of a histogram: its buckets, and the sum. */
const HISTOGRAM = BUCKETS + 1;
const FIRST_DURATION = OUTCOMES.length;
/** Where each histogram begins. */
const FIRST_OF = new Map(
  DURATIONS.map((name, index) => [name, FIRST_DURATION + index * HISTOGRAM] as const),
);
const FIRST_USAGE = FIRST_DURATION + DURATIONS.length * HISTOGRAM;
const PEAK = FIRST_USAGE + USAGE.length - 1;

/** How many numbers are counts. */
export const COUNTS_LENGTH = PEAK + 1;

/** Whether those are numbers that {@link Counts.add} may be given, whoever says so. */
export function areCounts(given: unknown): given is readonly number[] {
  return Array.isArray(given) && given.length === COUNTS_LENGTH && given.every(isAmount);
}

function isAmount(given: unknown): boolean {
  return typeof given === 'number' && given >= 0 && given <= Number.MAX_SAFE_INTEGER;
}

/** Nothing here allocates while it counts. */
export class Counts {
  readonly #numbers: Float64Array;

  constructor(numbers = new Float64Array(COUNTS_LENGTH)) {
    this.#numbers = numbers;
  }

  addOutcome(outcome: OutcomeName): void {
    this.#raise(OUTCOMES.indexOf(outcome), 1);
  }

  addDuration(name: DurationName, milliseconds: number): void {
    const first = FIRST_OF.get(name) as number;
    this.#raise(first + bucketOf(milliseconds), 1);
    this.#raise(first + BUCKETS, milliseconds);
  }

  addUsage(usage: Usage): void {
    for (let index = FIRST_USAGE; index < PEAK; index += 1) {
      this.#raise(index, usage[USAGE[index - FIRST_USAGE] as keyof Usage] ?? 0);
    }
    this.#raisePeak(usage.peakMemoryBytes ?? 0);
  }

  /** @param numbers as {@link take} gives them */
  add(numbers: ArrayLike<number>): void {
    for (let index = 0; index < PEAK; index += 1) {
      this.#raise(index, numbers[index] as number);
    }
    this.#raisePeak(numbers[PEAK] as number);
  }

  /** All that was counted; from now on nothing was. */
  take(): number[] {
    const numbers = [...this.#numbers];
    this.#numbers.fill(0);
    return numbers;
  }

  copy(): Counts {
    return new Counts(this.#numbers.slice());
  }

  /** Of all outcomes. */
  get requests(): number {
    return OUTCOMES.reduce((sum, _, index) => sum + (this.#numbers[index] as number), 0);
  }

  outcomes(): Record<OutcomeName, number> {
    const entries = OUTCOMES.map((name, index) => [name, this.#numbers[index] as number] as const);
    return Object.fromEntries(entries) as Record<OutcomeName, number>;
  }

  histogram(name: DurationName): Histogram {
    const first = FIRST_OF.get(name) as number;
    const buckets = [...this.#numbers.subarray(first, first + BUCKETS)];
    return {
      count: buckets.reduce((sum, count) => sum + count, 0),
      sumMilliseconds: this.#numbers[first + BUCKETS] as number,
      buckets,
    };
  }

  usage(): Required<Usage> {
    const entries = USAGE.map((name, index) => [name, this.#numbers[FIRST_USAGE + index]]);
    return Object.fromEntries(entries) as unknown as Required<Usage>;
  }

  /** What is no amount counts as none: a sum would never be one again. */
  #raise(index: number, by: number): void {
    if (by > 0) {
      this.#numbers[index] = (this.#numbers[index] as number) + by;
    }
  }

  #raisePeak(to: number): void {
    if (to > (this.#numbers[PEAK] as number)) {
      this.#numbers[PEAK] = to;
    }
  }
}
