/** What the page knows of the server, kept up to date as long as somebody looks at it. */
import {
  ApiError,
  type ControlEvent,
  type FunctionFacts,
  type HatcheryClient,
  type InstanceFacts,
  type ServerFacts,
  type Statistics,
} from '../../client/index.js';
import { isOutcome } from '../model/outcomes.js';
import { Readings } from '../model/readings.js';
import { retryAfter } from '../model/retry.js';

export type Connection =
  | { readonly state: 'connecting' | 'live' }
  | {
      readonly state: 'lost';
      /** There was an answer, but none that helps. */
      readonly isAnswered: boolean;
      readonly problem: string;
      /** Until the next try. */
      readonly milliseconds: number;
    };

export interface Known {
  readonly connection: Connection;
  readonly server: ServerFacts | undefined;
  readonly functions: readonly FunctionFacts[] | undefined;
  readonly instances: readonly InstanceFacts[] | undefined;
  readonly readings: Readings<Statistics>;
  /** The latest first. */
  readonly requests: readonly ControlEvent[];
  readonly crashes: readonly ControlEvent[];
  /** Events that were not told. */
  readonly omitted: number;
}

const POLL_MILLISECONDS = 1_000;
/** What changes rarely is asked for every so many polls, and when an event says that it has changed. */
const RARE_POLLS = 10;
/** How often what has happened is shown; in between it is collected. */
const SHOW_MILLISECONDS = 250;
const KEPT_REQUESTS = 100;
const KEPT_CRASHES = 100;

export class Live {
  readonly client: HatcheryClient;
  readonly #onEnd: () => void;
  readonly #listeners = new Set<() => void>();
  readonly #eventListeners = new Set<(event: ControlEvent) => void>();
  #known: Known = {
    connection: { state: 'connecting' },
    ...{ server: undefined, functions: undefined, instances: undefined },
    ...{ readings: new Readings<Statistics>(), requests: [], crashes: [], omitted: 0 },
  };
  #following: AbortController | undefined;
  #isStale = true;
  #showing: ReturnType<typeof setTimeout> | undefined;

  /** @param onEnd is called when the token is not good any more. */
  constructor(client: HatcheryClient, onEnd: () => void) {
    this.client = client;
    this.#onEnd = onEnd;
  }

  get known(): Known {
    return this.#known;
  }

  /** @returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns what ends it. */
  listenToEvents(listener: (event: ControlEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /**
   * Begins to follow, or goes on. In a tab that nobody sees nothing is followed: a browser has few
   * connections to a server, for all of its tabs together.
   */
  start(): void {
    if (this.#following === undefined) {
      const following = new AbortController();
      this.#following = following;
      this.#isStale = true;
      void this.#poll(following.signal);
      void this.#follow(following.signal);
    }
  }

  stop(): void {
    this.#following?.abort();
    this.#following = undefined;
  }

  /** Functions and instances are asked for at the next poll. */
  refresh(): void {
    this.#isStale = true;
  }

  async #poll(signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (let poll = 0; !signal.aborted; poll += 1) {
      const isAll = this.#isStale || poll % RARE_POLLS === 0;
      this.#isStale = false;
      try {
        const change = await this.#read(isAll);
        failures = 0;
        this.#change({ ...change, connection: { state: 'live' } });
      } catch (error) {
        failures += 1;
        this.#isStale = true;
        if (!signal.aborted) {
          this.#fail(error, retryAfter(failures));
        }
      }
      await pause(failures === 0 ? POLL_MILLISECONDS : retryAfter(failures), signal);
    }
  }

  async #read(isAll: boolean): Promise<Partial<Known>> {
    const { client } = this;
    const [statistics, rest] = await Promise.all([
      client.statistics(),
      isAll ? this.#readRest() : {},
    ]);
    this.#known.readings.add(statistics);
    return rest;
  }

  async #readRest(): Promise<Partial<Known>> {
    const { client } = this;
    const [server, functions, instances, crashes] = await Promise.all([
      client.server(),
      client.functions.list(),
      client.instances.list(),
      client.crashes(),
    ]);
    return { server, functions, instances, crashes: [...crashes].reverse() };
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        for await (const event of this.client.events({ signal })) {
          failures = 0;
          this.#take(event);
        }
      } catch (error) {
        if (!signal.aborted) {
          this.#fail(error, retryAfter(failures));
        }
      }
      await pause(retryAfter(Math.max(1, failures)), signal);
    }
  }

  #take(event: ControlEvent): void {
    const { type, instance, count = 0 } = event;
    if (type === 'omitted' || type === 'lost') {
      this.#keep({ omitted: this.#known.omitted + count });
    } else if (isOutcome(type) && event.requestId !== undefined) {
      const requests = [event, ...this.#known.requests].slice(0, KEPT_REQUESTS);
      const isCrash = type === 'crashed';
      const crashes = [event, ...this.#known.crashes].slice(0, KEPT_CRASHES);
      this.#keep(isCrash ? { requests, crashes } : { requests });
    }
    const isOfInstance = instance !== undefined && type !== 'served';
    if (type === 'deployed' || type === 'removed' || type === 'crashed' || isOfInstance) {
      this.#isStale = true;
    }
    for (const listener of this.#eventListeners) {
      listener(event);
    }
  }

  #fail(error: unknown, milliseconds: number): void {
    if (error instanceof ApiError && error.status === 401) {
      this.stop();
      this.#onEnd();
      return;
    }
    const isAnswered = error instanceof ApiError && error.status !== 0;
    const problem = (error as Error).message;
    this.#change({ connection: { state: 'lost', isAnswered, problem, milliseconds } });
  }

  /** Changes what is known, which is shown soon. */
  #keep(change: Partial<Known>): void {
    this.#known = { ...this.#known, ...change };
    this.#showing ??= setTimeout(() => this.#show(), SHOW_MILLISECONDS);
  }

  #change(change: Partial<Known>): void {
    this.#known = { ...this.#known, ...change };
    this.#show();
  }

  #show(): void {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}
