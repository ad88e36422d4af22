/** A reading of the statistics, as the API shows it. */
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { ResponseOf } from '../api/operation.js';
import type { Operations } from '../api/operations.js';
import { BOUNDS_MILLISECONDS } from '../statistics/buckets.js';
import { type Counts, DURATIONS, type DurationName, type Histogram } from '../statistics/counts.js';
import type { Reading } from '../statistics/reading.js';

type Shown = ResponseOf<Operations['getStatistics']>;

/** Shown of each function, even where there was none yet. */
const ALWAYS: ReadonlySet<DurationName> = new Set(['total', 'guest'] as const);

const NO_POOL = { running: 0, ready: 0, waiting: 0 };

export function shownStatistics(reading: Reading): Shown {
  const { at, startedAt, all, nameless, functions, load, processes } = reading;
  return {
    ...{ at, startedAt },
    bucketBounds: [...BOUNDS_MILLISECONDS],
    outcomes: all.outcomes(),
    phases: histograms(all, () => true),
    functions: [
      ...functions.map(({ name, counts, pool }) => ({ name, ...shownCounts(counts), pool })),
      ...(nameless.requests === 0 ? [] : [{ ...shownCounts(nameless), pool: NO_POOL }]),
    ],
    queue: { waiting: load.waiting, limit: load.queueLimit },
    instances: { running: load.running, spawned: load.spawned, limit: load.limit },
    workers: processes.map(({ processId: pid, residentBytes }) => ({ pid, residentBytes })),
    host: hostFacts(),
  };
}

/** The machine. */
export function hostFacts() {
  return {
    totalBytes: totalmem(),
    availableBytes: freemem(),
    processors: availableParallelism(),
  };
}

function shownCounts(counts: Counts): Omit<Shown['functions'][number], 'name' | 'pool'> {
  const isShown = (name: DurationName, { count }: Histogram) => count > 0 || ALWAYS.has(name);
  return {
    outcomes: counts.outcomes(),
    phases: histograms(counts, isShown),
    usage: counts.usage(),
  };
}

function histograms(
  counts: Counts,
  isShown: (name: DurationName, histogram: Histogram) => boolean,
): Record<string, Histogram> {
  const all = DURATIONS.map((name) => [name, counts.histogram(name)] as const);
  return Object.fromEntries(all.filter(([name, histogram]) => isShown(name, histogram)));
}
