/** The open connections of one function: to each origin a pool, shared with no other function. */
import type { Socket } from 'node:net';
import { errors, Pool } from 'undici';
import type { AllowList } from './allow-list.js';
import { Gate } from './gate.js';
import { type ConnectorOptions, guardedConnector } from './guarded-connector.js';
import { type Lookup, NameLookup } from './name-lookup.js';

export interface ConnectionOptions {
  readonly allow: AllowList;
  /** How long a connection may take to open, a response to begin, and to go on. */
  readonly milliseconds: number;
  readonly lookup?: Lookup | undefined;
  readonly ca?: string | undefined;
}

/** Fetches that a function may have under way, in all of its instances together. */
export const MAX_EXCHANGES = 128;
/** Connections and pools that are kept, once they are idle. */
const MAX_SOCKETS = 128;
const MAX_POOLS = 64;
/** Shorter than what servers usually keep a connection for: 5 s and more. */
const KEEP_ALIVE_MILLISECONDS = 4_000;
/** All of a response's head. */
export const MAX_HEAD_BYTES = 64 * 1024;
const MAX_CONNECT_MILLISECONDS = 10_000;

interface Entry {
  readonly pool: Pool;
  inUse: number;
  sockets: number;
}

/** A pool to use for one exchange, until `release`. */
export interface Lease {
  readonly pool: Pool;
  release(): void;
}

/**
 * Not undici's Agent, which keeps a pool for each origin for ever: a guest that may fetch from
 * `*.example.com` could make it grow without end.
 */
export class Connections {
  readonly #milliseconds: number;
  readonly #connector: ConnectorOptions;
  readonly #gate = new Gate(MAX_EXCHANGES);
  /** The one used last comes last. */
  readonly #entries = new Map<string, Entry>();
  /** Open, or being opened. */
  readonly #sockets = new Set<Socket>();
  #closed = false;

  constructor({ allow, milliseconds, lookup, ca }: ConnectionOptions) {
    this.#milliseconds = milliseconds;
    const connectMilliseconds = Math.min(milliseconds, MAX_CONNECT_MILLISECONDS);
    this.#connector = {
      allow,
      names: new NameLookup(connectMilliseconds, lookup),
      milliseconds: connectMilliseconds,
      ca,
    };
  }

  /** @throws the signal's reason, once it is aborted; undici's error for what is closed */
  async lease(origin: string, signal: AbortSignal): Promise<Lease> {
    const leave = await this.#gate.enter(signal);
    if (this.#closed) {
      leave();
      throw new errors.ClientClosedError();
    }
    const entry = this.#entries.get(origin) ?? this.#open(origin);
    this.#entries.delete(origin);
    this.#entries.set(origin, entry);
    entry.inUse += 1;
    let leased = true;
    const release = () => {
      if (leased) {
        leased = false;
        entry.inUse -= 1;
        this.#trim();
        leave();
      }
    };
    return { pool: entry.pool, release };
  }

  #open(origin: string): Entry {
    const onSocket = (socket: Socket) => {
      entry.sockets += 1;
      this.#sockets.add(socket);
      socket.once('close', () => {
        entry.sockets -= 1;
        this.#sockets.delete(socket);
      });
      this.#trim();
    };
    const pool = new Pool(origin, {
      connect: guardedConnector(new URL(origin), this.#connector, onSocket),
      // So that none waits inside the pool, where it could not be aborted.
      connections: MAX_EXCHANGES,
      // A response is nobody's but the one's who asked.
      pipelining: 1,
      headersTimeout: this.#milliseconds,
      bodyTimeout: this.#milliseconds,
      keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
      keepAliveMaxTimeout: KEEP_ALIVE_MILLISECONDS,
      maxHeaderSize: MAX_HEAD_BYTES,
      allowH2: false,
    });
    const entry: Entry = { pool, inUse: 0, sockets: 0 };
    return entry;
  }

  /** Closes what has been idle for longest, where there is too much. */
  #trim(): void {
    let sockets = this.#sockets.size;
    for (const [origin, entry] of this.#entries) {
      if (sockets <= MAX_SOCKETS && this.#entries.size <= MAX_POOLS) {
        return;
      }
      if (entry.inUse === 0) {
        this.#entries.delete(origin);
        sockets -= entry.sockets;
        void entry.pool.destroy().catch(() => {});
      }
    }
  }

  /** Ends all connections, whoever uses them. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = [...this.#entries.values()].map(({ pool }) => pool);
    this.#entries.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
    // undici does not know those that are still being opened.
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}
