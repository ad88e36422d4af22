/** Tells what one process serves: what it has counted, and how full it is now. */
import type { Pool } from '../fabric/deployment.js';
import type { DeployedFunction } from '../fabric/function.js';
import type { Load } from '../fabric/places.js';
import type { Answered } from '../front/observer.js';
import type { OutcomeName } from './counts.js';
import { Tally, type ToldCounts } from './tally.js';

/** The virtual machines of a function, where they are not as told last. */
export interface ToldPool extends Pool {
  readonly name: string;
}

export interface Told {
  readonly rows: readonly ToldCounts[];
  readonly pools: readonly ToldPool[];
  readonly load: Load;
  /** There is more to tell at once. */
  readonly hasMore: boolean;
}

/** Functions that are told of at a time. */
export const MOST_TOLD = 256;

/** What is told of a fabric. */
interface Served {
  readonly load: Load;
  function(name: string): DeployedFunction | undefined;
  functions(): Iterable<DeployedFunction>;
}

const NO_POOL: Pool = { running: 0, ready: 0, waiting: 0 };

export class Teller {
  readonly #served: Served;
  readonly #tally: Tally;
  readonly #toldPools = new Map<string, Pool>();

  constructor(served: Served) {
    this.#served = served;
    this.#tally = new Tally((name) => served.function(name) !== undefined);
  }

  /** Takes a request that has been answered just now. */
  record(outcome: OutcomeName, answered: Answered): void {
    this.#tally.record(outcome, answered);
  }

  /** A function was removed. */
  forget(name: string): void {
    this.#tally.forget(name);
    this.#toldPools.delete(name);
  }

  /** What there is since this was asked last. */
  tell(): Told {
    const rows = this.#tally.take(MOST_TOLD);
    const pools = this.#changedPools();
    const hasMore = this.#tally.isTouched || pools.length === MOST_TOLD;
    return { rows, pools, load: this.#served.load, hasMore };
  }

  #changedPools(): ToldPool[] {
    const changed: ToldPool[] = [];
    for (const { name, pool } of this.#served.functions()) {
      const { running, ready, waiting } = this.#toldPools.get(name) ?? NO_POOL;
      const isSame = pool.running === running && pool.ready === ready && pool.waiting === waiting;
      if (!isSame && changed.length < MOST_TOLD) {
        this.#toldPools.set(name, pool);
        changed.push({ name, ...pool });
      }
    }
    return changed;
  }
}
