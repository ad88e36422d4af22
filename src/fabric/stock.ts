/**
 * The virtual machines of one function that serve one request each: made ahead where that is
 * asked for, given out, taken back, rewound or destroyed, replaced.
 */
import type { Shell } from '../drivers/driver.js';
import type { ColdPhases, Timeline } from '../timeline.js';
import { NOTHING_KNOWN, type Remains } from '../usage.js';
import type { Verdict } from './exchange.js';
import type { Places } from './places.js';

/** A virtual machine at its snapshot point. */
export interface Made {
  readonly shell: Shell;
  /** What making it took. */
  readonly cold: ColdPhases;
  /** `performance.now()` when making it began. */
  readonly since: number;
  /** Of the request that it served, until it is rewound. */
  served?: Timeline | undefined;
}

export interface StockOptions {
  /** Makes one; off the calling thread. */
  make(): Promise<Made>;
  /** Whether one may be rewound after a request and used again. */
  readonly reusable: boolean;
  /** How many are kept ready. */
  readonly ahead: number;
  /** Those that are out have one each. */
  readonly places: Places;
  /** One may be taken now, perhaps. */
  onAvailable(): void;
  /** Making one failed; the next attempt is made when one is asked for. */
  onFailure(error: unknown): void;
}

/** How many are made at the same time. */
const MAKING_AT_ONCE = 4;

/** How many nobody has needed for so long is looked at: these are destroyed, but for `ahead`. */
const IDLE_MILLISECONDS = 2_500;

export class Stock {
  readonly #options: StockOptions;
  /** Never run since they were made or rewound. */
  readonly #ready: Made[] = [];
  /** To be rewound: right after the reply that they gave, or when they are needed earlier. */
  readonly #used: Made[] = [];
  readonly #ending = new Set<Promise<void>>();
  #out = 0;
  #making = 0;
  /** How often all were lost. */
  #losses = 0;
  #tending = false;
  #closed = false;
  #idle: (() => void) | undefined;
  /** The fewest that were idle at a time since the last look. */
  #fewestIdle = 0;
  #shrinking: NodeJS.Timeout | undefined;

  /** @param first is there already. */
  constructor(options: StockOptions, first: Made | undefined) {
    this.#options = options;
    if (first !== undefined) {
      this.#ready.push(first);
    }
  }

  /** How many are out. */
  get out(): number {
    return this.#out;
  }

  /** How many stand at their snapshot, for a request to take. */
  get ready(): number {
    return this.#ready.length;
  }

  /** @returns one that is the caller's until it gives it back; `undefined` when none is to be had. */
  take(): Made | undefined {
    if (this.#closed || !this.#options.places.take()) {
      return undefined;
    }
    const made = this.#ready.pop() ?? this.#rewound();
    if (made === undefined) {
      // Without an offer to others: one that cannot use it would be asked again at once.
      this.#options.places.drop();
    } else {
      this.#out += 1;
      this.#fewestIdle = Math.min(this.#fewestIdle, this.#idleCount());
    }
    return made;
  }

  /** @param timeline of the request that it was given out for: gets its end. */
  giveBack(made: Made, verdict: Verdict, timeline: Timeline): void {
    made.served = verdict === 'unused' ? undefined : timeline;
    this.#out -= 1;
    this.#keep(made, verdict);
    this.#options.places.giveBack();
  }

  #keep(made: Made, verdict: Verdict): void {
    if (this.#closed) {
      this.#destroy(made);
    } else if (verdict === 'unused') {
      this.#ready.push(made);
      this.#tendSoon();
    } else if (verdict === 'final' && this.#options.reusable) {
      this.#used.push(made);
      this.#tendSoon();
    } else {
      this.#destroy(made);
      // Only now: made while the guest ran, its replacement would slow the guest down.
      this.demand(0);
    }
  }

  /**
   * Has as many made as are needed.
   * @param waiting how many requests wait for one
   */
  demand(waiting: number): void {
    const { reusable, ahead, places } = this.#options;
    const idle = this.#idleCount();
    const free = places.limit - places.used;
    const live = idle + this.#out + this.#making;
    const wanted = Math.min(waiting, free);
    const missing = reusable
      ? Math.max(wanted - idle - this.#making, ahead - live)
      : wanted + ahead - idle - this.#making;
    const room = Math.min(
      MAKING_AT_ONCE - this.#making,
      places.limit + ahead - live - this.#ending.size,
    );
    for (let count = Math.min(missing, room); count > 0 && !this.#closed; count -= 1) {
      this.#make();
    }
  }

  /** All that there are, also those that are being made, are of no use any more. */
  lose(): void {
    this.#losses += 1;
    this.#destroyIdle();
  }

  /** Destroys all: those that are out when they come back. Resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#shrinking);
    this.#destroyIdle();
    if (this.#out + this.#making > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await Promise.all(this.#ending);
  }

  #destroyIdle(): void {
    for (const made of [...this.#ready.splice(0), ...this.#used.splice(0)]) {
      this.#destroy(made);
    }
  }

  async #make(): Promise<void> {
    this.#making += 1;
    const losses = this.#losses;
    try {
      const made = await this.#options.make();
      this.#making -= 1;
      if (this.#closed || losses !== this.#losses) {
        // What it was made from is lost, and it as well, if it does not know yet.
        this.#destroy(made);
      } else {
        this.#ready.push(made);
        this.#options.onAvailable();
      }
    } catch (error) {
      this.#making -= 1;
      if (losses === this.#losses) {
        this.#options.onFailure(error);
      } else if (!this.#closed) {
        // It was for those that are lost: whoever waits has not had a try yet.
        this.#options.onAvailable();
      }
    }
    this.#checkIdle();
  }

  #rewound(): Made | undefined {
    for (let made = this.#used.pop(); made !== undefined; made = this.#used.pop()) {
      const start = performance.now();
      try {
        const memory = made.shell.rewind();
        if (memory !== false) {
          noteEnd(made, start, { memory, cpuMicroseconds: 0 });
          return made;
        }
      } catch (error) {
        this.#options.onFailure(error);
      }
      this.#destroy(made);
    }
    return undefined;
  }

  /** Rewinding waits until the replies that are ready have been handed over. */
  #tendSoon(): void {
    if (!this.#tending) {
      this.#tending = true;
      setImmediate(() => this.#tend());
    }
  }

  #tend(): void {
    this.#tending = false;
    for (let made = this.#rewound(); made !== undefined; made = this.#rewound()) {
      this.#ready.push(made);
    }
    if (!this.#closed) {
      this.#options.onAvailable();
      this.#shrinkLater();
    }
  }

  /** After a burst, memory goes back to where it was. */
  #shrinkLater(): void {
    if (this.#shrinking !== undefined || this.#idleCount() <= this.#options.ahead) {
      return;
    }
    this.#fewestIdle = this.#idleCount();
    this.#shrinking = setTimeout(() => {
      this.#shrinking = undefined;
      for (let surplus = this.#fewestIdle - this.#options.ahead; surplus > 0; surplus -= 1) {
        const made = this.#ready.shift() ?? this.#used.shift();
        if (made !== undefined) {
          this.#destroy(made);
        }
      }
      this.#shrinkLater();
    }, IDLE_MILLISECONDS).unref();
  }

  #idleCount(): number {
    return this.#ready.length + this.#used.length;
  }

  #destroy(made: Made): void {
    const ending = this.#end(made);
    this.#ending.add(ending);
    ending.finally(() => {
      this.#ending.delete(ending);
      if (!this.#closed) {
        this.#options.onAvailable();
      }
    });
    this.#checkIdle();
  }

  async #end(made: Made): Promise<void> {
    const start = performance.now();
    let remains = NOTHING_KNOWN;
    try {
      remains = await made.shell.destroy();
    } catch (error) {
      this.#options.onFailure(error);
    }
    noteEnd(made, start, remains);
  }

  #checkIdle(): void {
    if (this.#closed && this.#out + this.#making === 0) {
      this.#idle?.();
    }
  }
}

/** What of the request before was in it is gone. */
function noteEnd(made: Made, start: number, remains: Remains): void {
  if (made.served !== undefined) {
    made.served.endStart = start;
    made.served.noteEnd(performance.now() - start, remains);
    made.served = undefined;
  }
}
