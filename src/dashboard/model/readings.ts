/** The server's statistics as they were read, one after the other: rates and what the last minute had. */
import { type Outcomes, outcomesBetween } from './outcomes.js';

/** What is needed of a reading to be put in order. */
export interface Reading {
  /** Milliseconds since 1970, by the server's clock. */
  readonly at: number;
  /** When the server began to count, by the same clock. */
  readonly startedAt: number;
  readonly outcomes: Outcomes;
}

/** Requests a second that ended so, in the time up to `at`. */
export interface Rate extends Outcomes {
  readonly at: number;
}

/** So long rates are kept, and whole readings. */
export const RATES_MILLISECONDS = 300_000;
export const WINDOW_MILLISECONDS = 60_000;

export class Readings<One extends Reading> {
  #readings: One[] = [];
  #rates: Rate[] = [];

  get latest(): One | undefined {
    return this.#readings.at(-1);
  }

  /** The oldest first. */
  get rates(): readonly Rate[] {
    return this.#rates;
  }

  /** The last reading that is a minute old, or else the first: what the last minute begins with. */
  get aMinuteAgo(): One | undefined {
    return this.#readings.length > 1 ? this.#readings[0] : undefined;
  }

  add(reading: One): void {
    const { latest } = this;
    if (latest !== undefined && latest.startedAt !== reading.startedAt) {
      // Another process counts from nothing; what was before is no beginning for it.
      this.#readings = [];
    } else if (latest !== undefined && reading.at > latest.at) {
      this.#rates.push(rateBetween(latest, reading));
    } else if (latest !== undefined) {
      // Read twice at the same moment, or the clock was set back.
      this.#readings.pop();
    }
    this.#readings.push(reading);
    this.#forget(reading.at);
  }

  #forget(now: number): void {
    const isOld = ({ at }: Rate) => at < now - RATES_MILLISECONDS || at > now;
    this.#rates = this.#rates.filter((rate) => !isOld(rate));
    // One that is older than a minute stays: the minute begins with it.
    let first = 0;
    while ((this.#readings[first + 1]?.at ?? now) <= now - WINDOW_MILLISECONDS) {
      first += 1;
    }
    this.#readings = this.#readings.slice(first);
  }
}

function rateBetween(before: Reading, now: Reading): Rate {
  const seconds = (now.at - before.at) / 1_000;
  const { served, crashed, killed, refused } = outcomesBetween(now.outcomes, before.outcomes);
  return {
    at: now.at,
    served: served / seconds,
    crashed: crashed / seconds,
    killed: killed / seconds,
    refused: refused / seconds,
  };
}
