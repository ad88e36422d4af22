/** The last requests of one process, by their ids: kept where they were served, asked for seldom. */
import type { Observation, RequestOutcome } from './observations.js';

/** Each takes some 500 bytes. */
const KEPT = 4_096;

export class RecentRequests {
  readonly #kept: number;
  /** The oldest first. */
  readonly #outcomes = new Map<string, RequestOutcome>();

  constructor(kept = KEPT) {
    this.#kept = kept;
  }

  /** Takes what is the outcome of a request, and nothing else. */
  add(observation: Observation): void {
    const { kind, requestId } = observation;
    if (kind === 'log' || kind === 'ended' || requestId === undefined) {
      return;
    }
    this.#outcomes.set(requestId, observation);
    if (this.#outcomes.size > this.#kept) {
      const [oldest] = this.#outcomes.keys();
      this.#outcomes.delete(oldest as string);
    }
  }

  get(requestId: string): RequestOutcome | undefined {
    return this.#outcomes.get(requestId);
  }
}
