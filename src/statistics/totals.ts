/** What all processes together have counted since the start. Nothing but a removed name goes away. */
import { Counts } from './counts.js';
import type { ToldCounts } from './tally.js';

export interface FunctionCounts {
  readonly name: string;
  readonly counts: Counts;
  /** Whether metrics tell of it by its name. */
  readonly isNamed: boolean;
}

/** Functions that metrics tell of by name. */
export const MOST_NAMED = 200;

export class Totals {
  /** Of all requests. */
  readonly all = new Counts();
  /** Of requests to no function. */
  readonly nameless = new Counts();
  /** Of functions that metrics do not name, together, also of those that are gone. */
  readonly others = new Counts();
  readonly #functions = new Map<string, FunctionCounts>();
  readonly #mostNamed: number;
  #named = 0;

  constructor(mostNamed = MOST_NAMED) {
    this.#mostNamed = mostNamed;
  }

  get functions(): Iterable<FunctionCounts> {
    return this.#functions.values();
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /** A function is deployed. Whether it is named is said once: else sums would go back. */
  keep(name: string): void {
    if (!this.#functions.has(name)) {
      const isNamed = this.#named < this.#mostNamed;
      this.#named += isNamed ? 1 : 0;
      this.#functions.set(name, { name, counts: new Counts(), isNamed });
    }
  }

  /** A function is removed. */
  forget(name: string): void {
    this.#named -= this.#functions.get(name)?.isNamed ? 1 : 0;
    this.#functions.delete(name);
  }

  /** Adds what a process tells; of functions that are not kept, nothing. */
  add({ name, counts }: ToldCounts): void {
    if (name === undefined) {
      this.nameless.add(counts);
    } else {
      const known = this.#functions.get(name);
      if (known === undefined) {
        return;
      }
      known.counts.add(counts);
      if (!known.isNamed) {
        this.others.add(counts);
      }
    }
    this.all.add(counts);
  }
}
