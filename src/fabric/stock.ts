/**
 * The virtual machines of one function that serve one request each: made ahead where that is
 * asked for, given out, taken back, rewound or destroyed, replaced.
 */
import type { Shell } from '../drivers/driver.js';
import type { ColdPhases } from '../timeline.js';
import type { Verdict } from './exchange.js';

/** A virtual machine at its snapshot point. */
export interface Made {
  readonly shell: Shell;
  /** What making it took. */
  readonly cold: ColdPhases;
  /** `performance.now()` when making it began. */
  readonly since: number;
}

export interface StockOptions {
  /** Makes one; off the calling thread. */
  make(): Promise<Made>;
  /** Whether one may be rewound after a request and used again. */
  readonly reusable: boolean;
  /** How many are kept ready. */
  readonly ahead: number;
  /** How many may be out at a time. */
  readonly concurrency: number;
  /** One may be taken now, perhaps. */
  onAvailable(): void;
  /** Making one failed; the next attempt is made when one is asked for. */
  onFailure(error: unknown): void;
}

/** How many are made at the same time. */
const MAKING_AT_ONCE = 4;

export class Stock {
  readonly #options: StockOptions;
  /** Never run since they were made or rewound. */
  readonly #ready: Made[] = [];
  /** To be rewound: right after the reply that they gave, or when they are needed earlier. */
  readonly #used: Made[] = [];
  readonly #ending = new Set<Promise<void>>();
  #out = 0;
  #making = 0;
  #tending = false;
  #closed = false;
  #idle: (() => void) | undefined;

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

  /** @returns one that is the caller's until it gives it back; `undefined` when none is to be had. */
  take(): Made | undefined {
    if (this.#closed || this.#out >= this.#options.concurrency) {
      return undefined;
    }
    const made = this.#ready.pop() ?? this.#rewound();
    if (made !== undefined) {
      this.#out += 1;
    }
    return made;
  }

  giveBack(made: Made, verdict: Verdict): void {
    this.#out -= 1;
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
    const { reusable, ahead, concurrency } = this.#options;
    const idle = this.#ready.length + this.#used.length;
    const live = idle + this.#out + this.#making;
    const wanted = Math.min(waiting, concurrency - this.#out);
    const missing = reusable
      ? Math.max(wanted - idle - this.#making, ahead - live)
      : wanted + ahead - idle - this.#making;
    const room = Math.min(
      MAKING_AT_ONCE - this.#making,
      concurrency + ahead - live - this.#ending.size,
    );
    for (let count = Math.min(missing, room); count > 0 && !this.#closed; count -= 1) {
      this.#make();
    }
  }

  /** Destroys all: those that are out when they come back. Resolves when none is left. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const made of [...this.#ready.splice(0), ...this.#used.splice(0)]) {
      this.#destroy(made);
    }
    if (this.#out + this.#making > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await Promise.all(this.#ending);
  }

  async #make(): Promise<void> {
    this.#making += 1;
    try {
      const made = await this.#options.make();
      this.#making -= 1;
      if (this.#closed) {
        this.#destroy(made);
      } else {
        this.#ready.push(made);
        this.#options.onAvailable();
      }
    } catch (error) {
      this.#making -= 1;
      this.#options.onFailure(error);
    }
    this.#checkIdle();
  }

  #rewound(): Made | undefined {
    for (let made = this.#used.pop(); made !== undefined; made = this.#used.pop()) {
      try {
        if (made.shell.rewind()) {
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
    }
  }

  #destroy(made: Made): void {
    const ending = this.#end(made.shell);
    this.#ending.add(ending);
    ending.finally(() => {
      this.#ending.delete(ending);
      if (!this.#closed) {
        this.#options.onAvailable();
      }
    });
    this.#checkIdle();
  }

  async #end(shell: Shell): Promise<void> {
    try {
      await shell.destroy();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  #checkIdle(): void {
    if (this.#closed && this.#out + this.#making === 0) {
      this.#idle?.();
    }
  }
}
