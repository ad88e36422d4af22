/** Looks host names up, so that no function can take all of the process's threads for it. */
import { lookup } from 'node:dns/promises';
import { Gate } from './gate.js';

/** An address of a name, as node:dns gives it. */
export interface LookedUp {
  readonly address: string;
  readonly family: number;
}

/** @throws an Error whose code is one of node:dns */
export type Lookup = (name: string) => Promise<readonly LookedUp[]>;

/** As the machine does it: its resolver, its hosts file, its search domains. */
const systemLookup: Lookup = (name) => lookup(name, { all: true, verbatim: true });

/**
 * getaddrinfo holds a thread of libuv's pool, by default four, as long as a name server keeps it
 * waiting, and a guest may choose names of a server that does. So half of them are all that
 * lookups take, and one is all that a function takes.
 */
const LOOKUPS = 2;
const processGate = new Gate(LOOKUPS);

export class NameLookup {
  readonly #lookup: Lookup;
  readonly #milliseconds: number;
  readonly #gate = new Gate(1);
  readonly #underWay = new Map<string, Promise<readonly LookedUp[]>>();

  /** @param milliseconds how long a lookup may wait for its turn. */
  constructor(milliseconds: number, lookup: Lookup = systemLookup) {
    this.#lookup = lookup;
    this.#milliseconds = milliseconds;
  }

  /** Those who ask for a name while it is being looked up get the same answer. */
  addresses(name: string): Promise<readonly LookedUp[]> {
    let answer = this.#underWay.get(name);
    if (answer === undefined) {
      answer = this.#inTurn(name).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, answer);
    }
    return answer;
  }

  async #inTurn(name: string): Promise<readonly LookedUp[]> {
    const signal = AbortSignal.timeout(this.#milliseconds);
    const leave = await this.#gate.enter(signal);
    try {
      const leaveProcess = await processGate.enter(signal);
      try {
        return await this.#lookup(name);
      } finally {
        leaveProcess();
      }
    } finally {
      leave();
    }
  }
}
