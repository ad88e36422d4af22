/** What is known of one spawned instance, from the order until some time after its end. */
import type { ResponseOf } from '../../api/operation.js';
import type { Operations } from '../../api/operations.js';
import type { HatcheryError } from '../../errors.js';
import type { SpawnedBy } from '../../supervisor/instance-orders.js';

export type InstanceFacts = ResponseOf<Operations['getInstance']>;

export interface RecordOptions {
  readonly id: string;
  readonly function: string | undefined;
  readonly image: string | undefined;
  readonly driver: string;
  /** Milliseconds from its readiness; `undefined`: for ever. */
  readonly lifetime: number | undefined;
  /** Milliseconds without a request. */
  readonly idle: number;
  /** Called when one of them is over. */
  readonly onOver: (reason: string) => void;
}

export class InstanceRecord {
  readonly id: string;
  readonly function: string | undefined;
  /** There is an event of its end. */
  endIsTold = false;
  readonly #options: RecordOptions;
  readonly #createdAt = Date.now();
  /** Settles once; who asks later gets it all the same. */
  readonly #started: Promise<void>;
  #settle: () => void = () => {};
  #spawned: SpawnedBy | undefined;
  #failure: HatcheryError | undefined;
  #readyAt: number | undefined;
  #endedAt: number | undefined;
  #reason: string | undefined;
  #requests = 0;
  #inFlight = 0;
  #life: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.id = options.id;
    this.function = options.function;
    this.#started = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get hasEnded(): boolean {
    return this.#endedAt !== undefined;
  }

  get reason(): string {
    return this.#reason ?? 'for an unknown reason';
  }

  /** It is ready. */
  ready(spawned: SpawnedBy): void {
    this.#spawned = spawned;
    this.#readyAt = Date.now();
    const { lifetime } = this.#options;
    if (lifetime !== undefined && !this.hasEnded) {
      const over = () => this.#options.onOver(`its time of ${lifetime} ms was over`);
      this.#life = setTimeout(over, lifetime).unref();
    }
    this.#watchIdle();
    this.#settle();
  }

  /** It could not be started. */
  failed(error: HatcheryError): void {
    this.#failure = error;
    this.ended(error.message);
    this.#settle();
  }

  /** It has ended; what is said first counts. */
  ended(reason: string): void {
    if (this.hasEnded) {
      return;
    }
    this.#reason ??= reason;
    this.#endedAt = Date.now();
    clearTimeout(this.#life);
    clearTimeout(this.#idle);
  }

  /** Says why it will end, before it has. */
  because(reason: string): void {
    this.#reason ??= reason;
  }

  /** @throws HatcheryError why it could not be started */
  async whenStarted(): Promise<void> {
    await this.#started;
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  /** As {@link whenStarted}, but not for longer than that, and it never throws. */
  async waitFor(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds).unref();
    });
    await Promise.race([this.#started, late]);
    clearTimeout(timer);
  }

  beginRequest(): void {
    this.#requests += 1;
    this.#inFlight += 1;
    clearTimeout(this.#idle);
  }

  endRequest(): void {
    this.#inFlight -= 1;
    this.#watchIdle();
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    if (this.#inFlight === 0 && !this.hasEnded) {
      const { idle } = this.#options;
      const over = () => this.#options.onOver(`it had no request for ${idle} ms`);
      this.#idle = setTimeout(over, idle).unref();
    }
  }

  facts(): InstanceFacts {
    const { image, driver } = this.#options;
    const { strategy, coldStart = {} } = this.#spawned ?? {};
    return {
      id: this.id,
      state: this.hasEnded ? 'ended' : this.#readyAt === undefined ? 'starting' : 'ready',
      ...(this.function === undefined ? {} : { function: this.function }),
      ...(image === undefined ? {} : { image }),
      driver,
      ...(strategy === undefined ? {} : { strategy }),
      createdAt: iso(this.#createdAt),
      ...(this.#readyAt === undefined ? {} : { readyAt: iso(this.#readyAt) }),
      ...(this.#endedAt === undefined ? {} : { endedAt: iso(this.#endedAt), reason: this.reason }),
      requests: this.#requests,
      timeline: { ...coldStart } as Record<string, number>,
    };
  }
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
