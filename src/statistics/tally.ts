/** Counts requests where they are served, function by function, until they are told. */
import type { Answered } from '../front/observer.js';
import { COLD_PHASES, PHASES, type Timeline } from '../timeline.js';
import { Counts, type OutcomeName } from './counts.js';

/** What was counted of a function since it was told last; without a name: of requests to none. */
export interface ToldCounts {
  readonly name?: string | undefined;
  readonly counts: readonly number[];
}

/** Those that a request has behind it when it is answered. */
const ANSWERED_PHASES = PHASES.filter((phase) => phase !== 'end');

interface Row {
  readonly name: string | undefined;
  readonly counts: Counts;
  isTouched: boolean;
}

export class Tally {
  readonly #isDeployed: (name: string) => boolean;
  readonly #rows = new Map<string, Row>();
  readonly #nameless: Row;
  /** Rows with something to tell. */
  #touched: Row[] = [];

  /**
   * @param isDeployed requests to what is not deployed, instances of images say, are counted together,
   *   without a name: so there are as many rows as functions.
   */
  constructor(isDeployed: (name: string) => boolean) {
    this.#isDeployed = isDeployed;
    this.#nameless = this.#create(undefined);
  }

  /** Takes a request that has been answered just now. */
  record(outcome: OutcomeName, { function: name, timeline }: Answered): void {
    const row = this.#rowOf(name);
    const { counts } = row;
    counts.addOutcome(outcome);
    counts.addDuration('total', performance.now() - timeline.start);
    for (const phase of ANSWERED_PHASES) {
      const milliseconds = timeline[phase];
      if (milliseconds !== undefined) {
        counts.addDuration(phase, milliseconds);
      }
    }
    const { cold } = timeline;
    if (cold !== undefined) {
      for (const phase of COLD_PHASES) {
        const milliseconds = cold[phase];
        if (milliseconds !== undefined) {
          counts.addDuration(phase, milliseconds);
        }
      }
    }
    this.#touch(row);
    timeline.whenOver(() => this.#recordEnd(name, timeline));
  }

  /** Its instance is gone. The function may be gone by now as well, and its row with it. */
  #recordEnd(name: string | undefined, { end, usage }: Timeline): void {
    const row = this.#rowOf(name);
    if (end !== undefined) {
      row.counts.addDuration('end', end);
    }
    if (usage !== undefined) {
      row.counts.addUsage(usage);
    }
    this.#touch(row);
  }

  /** A function is gone: what has not been told of it goes without a name. */
  forget(name: string): void {
    const row = this.#rows.get(name);
    if (row !== undefined) {
      this.#rows.delete(name);
      this.#nameless.counts.add(row.counts.take());
      this.#touch(this.#nameless);
    }
  }

  /** Takes what was counted, of so many functions at most. */
  take(most: number): ToldCounts[] {
    return this.#touched.splice(0, most).map((row) => {
      row.isTouched = false;
      return { name: row.name, counts: row.counts.take() };
    });
  }

  /** Whether there is something to take. */
  get isTouched(): boolean {
    return this.#touched.length > 0;
  }

  #rowOf(name: string | undefined): Row {
    if (name === undefined) {
      return this.#nameless;
    }
    let row = this.#rows.get(name);
    if (row === undefined) {
      if (!this.#isDeployed(name)) {
        return this.#nameless;
      }
      row = this.#create(name);
      this.#rows.set(name, row);
    }
    return row;
  }

  #create(name: string | undefined): Row {
    return { name, counts: new Counts(), isTouched: false };
  }

  #touch(row: Row): void {
    if (!row.isTouched) {
      row.isTouched = true;
      this.#touched.push(row);
    }
  }
}
