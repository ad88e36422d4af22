/**
 * Gathers what the processes of a server tell. Each is asked about once a second, so that one that dies
 * has taken no more than that along; and when somebody reads.
 */
import type { Pool } from '../fabric/deployment.js';
import type { Load } from '../fabric/places.js';
import type { FunctionReading, ProcessReading, Reading } from './reading.js';
import { residentBytes } from './resident-memory.js';
import { MOST_TOLD, type Told } from './teller.js';
import { Totals } from './totals.js';

/** A process that serves. */
export interface Source {
  readonly processId: number;
  /** What there is since it was asked last. Rejects where it is dead. */
  tell(): Promise<Told>;
}

interface Joined {
  readonly label: string;
  readonly pools: Map<string, Pool>;
  load: Load;
  asking: Promise<void> | undefined;
}

const ASK_MILLISECONDS = 1_000;
/** So old a reading may be. */
const FRESH_MILLISECONDS = 200;
/** So long a reader waits for processes that are busy. */
const WAIT_MILLISECONDS = 500;

const NO_LOAD: Load = { waiting: 0, queueLimit: 0, running: 0, limit: 0, spawned: 0 };
const NO_POOL: Pool = { running: 0, ready: 0, waiting: 0 };

export class Gathering {
  readonly #startedAt = Date.now();
  readonly #totals: Totals;
  readonly #sources = new Map<Source, Joined>();
  #asking: NodeJS.Timeout | undefined;
  #restarts = 0;
  #latest: { readonly since: number; readonly reading: Promise<Reading> } | undefined;

  constructor(totals = new Totals()) {
    this.#totals = totals;
  }

  /** From now on all are asked again and again, not only when somebody reads. */
  begin(): void {
    this.#asking ??= setInterval(() => void this.#askAll(), ASK_MILLISECONDS).unref();
  }

  /**
   * A process serves from now on.
   * @param label the same as that of one that it replaces
   */
  join(source: Source, label: string): void {
    const joined = { label, pools: new Map(), load: NO_LOAD, asking: undefined };
    this.#sources.set(source, joined);
  }

  /** A process is dead; what it has told stays. */
  leave(source: Source): void {
    this.#sources.delete(source);
  }

  noteRestart(): void {
    this.#restarts += 1;
  }

  /** From now on it is believed that a function of that name is served; so before it is. */
  keep(name: string): void {
    this.#totals.keep(name);
  }

  /** When no process has it any more. */
  forget(name: string): void {
    this.#totals.forget(name);
    for (const { pools } of this.#sources.values()) {
      pools.delete(name);
    }
  }

  /** At most 200 ms old, but where processes are too busy to answer. */
  read(): Promise<Reading> {
    const now = performance.now();
    if (this.#latest === undefined || now - this.#latest.since >= FRESH_MILLISECONDS) {
      this.#latest = { since: now, reading: this.#read() };
    }
    return this.#latest.reading;
  }

  close(): void {
    clearInterval(this.#asking);
  }

  async #read(): Promise<Reading> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAIT_MILLISECONDS);
    });
    await Promise.race([this.#askAll(), late]);
    clearTimeout(timer);
    const processes = await this.#processes();
    const { all, nameless, others } = this.#totals;
    return {
      ...{ at: Date.now(), startedAt: this.#startedAt },
      ...{ all: all.copy(), nameless: nameless.copy(), others: others.copy() },
      functions: [...this.#totals.functions].map((fn) => this.#functionReading(fn)),
      load: sum(
        [...this.#sources.values()].map(({ load }) => load),
        NO_LOAD,
      ),
      processes,
      restarts: this.#restarts,
    };
  }

  #functionReading(fn: Omit<FunctionReading, 'pool'>): FunctionReading {
    const pools = [...this.#sources.values()].map(({ pools }) => pools.get(fn.name) ?? NO_POOL);
    return { ...fn, counts: fn.counts.copy(), pool: sum(pools, NO_POOL) };
  }

  async #processes(): Promise<ProcessReading[]> {
    const found = await Promise.all(
      [...this.#sources].map(async ([{ processId }, { label }]) => {
        const bytes = await residentBytes(processId);
        return bytes === undefined ? [] : [{ label, processId, residentBytes: bytes }];
      }),
    );
    return found.flat();
  }

  async #askAll(): Promise<void> {
    await Promise.allSettled([...this.#sources.keys()].map((source) => this.#ask(source)));
  }

  /** One that has not answered yet is not asked again. What it tells counts whenever it comes. */
  #ask(source: Source): Promise<void> {
    const joined = this.#sources.get(source) as Joined;
    joined.asking ??= this.#take(source, joined).finally(() => {
      joined.asking = undefined;
    });
    return joined.asking;
  }

  async #take(source: Source, joined: Joined): Promise<void> {
    // One that always had more would be asked for ever.
    let rounds = 1 + Math.ceil([...this.#totals.functions].length / MOST_TOLD);
    for (let hasMore = true; hasMore && rounds > 0; rounds -= 1) {
      const told = await source.tell();
      for (const row of told.rows) {
        this.#totals.add(row);
      }
      for (const { name, running, ready, waiting } of told.pools) {
        if (this.#totals.has(name)) {
          joined.pools.set(name, { running, ready, waiting });
        }
      }
      joined.load = told.load;
      hasMore = told.hasMore;
    }
  }
}

/** Each number of some objects of one kind, added up. */
function sum<Kind extends { readonly [Name in keyof Kind]: number }>(
  all: readonly Kind[],
  none: Kind,
): Kind {
  const names = Object.keys(none) as (keyof Kind)[];
  const entries = names.map((name) => [name, all.reduce((total, one) => total + one[name], 0)]);
  return Object.fromEntries(entries) as Kind;
}
