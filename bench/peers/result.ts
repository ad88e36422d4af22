import type { Summary } from '../harness/statistics.js';

/** What was measured of one peer. Microseconds. */
export interface PeerResult {
  readonly name: string;
  readonly version: string;
  readonly wall: string;
  /** Whether it is this project's. */
  readonly own: boolean;
  /** Request to response. */
  readonly response: Summary;
  /** Until the instance is gone as well. */
  readonly life: Summary;
  /** How many times the first of this project's results it takes, by medians within rounds. */
  readonly times: number;
}

/** Fastest first. */
export function bySpeed(results: readonly PeerResult[]): PeerResult[] {
  return results.toSorted((one, other) => one.response.p50 - other.response.p50);
}

/** Microseconds as people read them: `43 µs`, `1.2 ms`, `52 ms`. */
export function formatDuration(microseconds: number): string {
  const [value, unit] = microseconds < 1000 ? [microseconds, 'µs'] : [microseconds / 1000, 'ms'];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}
