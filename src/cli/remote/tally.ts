/** What `hatchery top` shows: counts and times of each function, of what happened lately. */
import type { ControlEvent } from '../../client/index.js';

/** One function, over one interval. */
export interface TallyRow {
  readonly function: string;
  readonly requestsPerSecond: number;
  /** Milliseconds from the request's head to the end of its answer; null where nothing was served. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly refused: number;
  readonly killed: number;
  readonly crashed: number;
}

/** Times of one function that are kept for an interval; more would tell little. */
const MAX_TIMES = 10_000;

interface Counts {
  readonly times: number[];
  served: number;
  refused: number;
  killed: number;
  crashed: number;
}

export class Tally {
  readonly #functions = new Map<string, Counts>();
  /** Events that the server did not tell, as there were too many. */
  #omitted = 0;

  add(event: ControlEvent): void {
    const { type, function: name, timeline, count = 0 } = event;
    if (type === 'omitted' || type === 'lost') {
      this.#omitted += count;
      return;
    }
    if (name === undefined || !(type in COUNTED)) {
      return;
    }
    let counts = this.#functions.get(name);
    if (counts === undefined) {
      counts = { times: [], served: 0, refused: 0, killed: 0, crashed: 0 };
      this.#functions.set(name, counts);
    }
    counts[type as keyof typeof COUNTED] += 1;
    if (type === 'served' && counts.times.length < MAX_TIMES) {
      counts.times.push(Object.values(timeline ?? {}).reduce((sum, phase) => sum + phase, 0));
    }
  }

  /**
   * The busiest first; then counting begins anew.
   * @param seconds that it was counted for.
   */
  take(seconds: number): { readonly rows: readonly TallyRow[]; readonly omitted: number } {
    const rows = [...this.#functions].map(([name, counts]) => {
      const { times, served, refused, killed, crashed } = counts;
      times.sort((one, other) => one - other);
      return {
        function: name,
        requestsPerSecond: (served + refused + killed + crashed) / seconds,
        p50: percentile(times, 0.5),
        p99: percentile(times, 0.99),
        ...{ refused, killed, crashed },
      };
    });
    const omitted = this.#omitted;
    this.#functions.clear();
    this.#omitted = 0;
    rows.sort((one, other) => other.requestsPerSecond - one.requestsPerSecond);
    return { rows, omitted };
  }
}

const COUNTED = { served: true, refused: true, killed: true, crashed: true } as const;

/** The nearest rank. @param sorted ascending. */
function percentile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null;
}
