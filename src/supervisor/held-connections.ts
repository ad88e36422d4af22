/**
 * The connections of one worker. The worker serves them, the supervisor only keeps each open: so when
 * the worker dies, its clients can still be told.
 */
import type { Socket } from 'node:net';
import type { ConnectionTable } from './connection-table.js';
import type { ProcessAddon } from './process-native.js';
import { workerDiedResponse } from './raw-response.js';

/** How long a client may take to read its last answer. */
const LINGER_MILLISECONDS = 1_000;
/** The end of a connection counts as a byte. */
const END_BYTES = 1;

interface Held {
  readonly socket: Socket;
  readonly descriptor: number;
  /** What the kernel counted as written when nothing was. */
  readonly unwritten: number;
}

/** What became of the connections of a worker that died. */
export interface Settled {
  /** Requests that were answered with WORKER_DIED. */
  readonly failed: number;
  /** Responses that were cut in the middle. */
  readonly cut: number;
  /** Connections of which nothing had been read: another worker can serve them. */
  readonly untouched: readonly Socket[];
}

type Fate = 'untouched' | 'idle' | 'waiting' | 'answering' | 'gone';

/** The socket's descriptor; -1: it is closed. */
function descriptorOf(socket: Socket): number {
  const { _handle } = socket as Socket & { readonly _handle?: { readonly fd: number } | null };
  return _handle?.fd ?? -1;
}

export class HeldConnections {
  readonly #addon: ProcessAddon;
  readonly #table: ConnectionTable;
  readonly #held = new Map<number, Held>();
  /** Slots that were used and are free again. */
  readonly #free: number[] = [];
  #next = 1;

  constructor(addon: ProcessAddon, table: ConnectionTable) {
    this.#addon = addon;
    this.#table = table;
  }

  get size(): number {
    return this.#held.size;
  }

  get isFull(): boolean {
    return this.#free.length === 0 && this.#next === this.#table.end;
  }

  /** @returns the slot of the connection; `undefined`: it is closed already. */
  hold(socket: Socket): number | undefined {
    const descriptor = descriptorOf(socket);
    let unwritten: number;
    try {
      unwritten = this.#addon.connectionBytes(descriptor).written;
    } catch {
      socket.destroy();
      return undefined;
    }
    const slot = this.#free.pop() ?? this.#next++;
    this.#table.clear(slot);
    this.#held.set(slot, { socket, descriptor, unwritten });
    return slot;
  }

  /** The worker has closed it. */
  release(slot: number): void {
    const held = this.#held.get(slot);
    if (held !== undefined) {
      this.#held.delete(slot);
      this.#free.push(slot);
      held.socket.destroy();
    }
  }

  /** The worker is dead: tells its clients, each as far as it can be told. */
  settle(): Settled {
    let failed = 0;
    let cut = 0;
    const untouched: Socket[] = [];
    for (const [slot, held] of this.#held) {
      const { socket } = held;
      switch (this.#fateOf(slot, held)) {
        case 'untouched':
          untouched.push(socket);
          break;
        case 'idle':
          part(socket);
          break;
        case 'waiting':
          failed += 1;
          part(socket, workerDiedResponse());
          break;
        case 'answering':
          cut += 1;
          // Not the end of a response, even where the end of the connection would be one.
          socket.resetAndDestroy();
          break;
        case 'gone':
          socket.destroy();
          break;
      }
    }
    this.#held.clear();
    return { failed, cut, untouched };
  }

  #fateOf(slot: number, { descriptor, unwritten }: Held): Fate {
    const noted = this.#table.read(slot);
    try {
      const now = this.#addon.connectionBytes(descriptor);
      const written = now.written - unwritten;
      if (now.received === now.unread && written === 0) {
        return 'untouched';
      }
      if (written !== noted.written) {
        return 'answering';
      }
      const more = now.received - noted.received;
      return more > END_BYTES || now.unread > 0 ? 'waiting' : 'idle';
    } catch {
      return 'gone';
    }
  }
}

/** A client that still sends would lose its answer if the connection were closed at once. */
function part(socket: Socket, answer?: string): void {
  if (answer === undefined) {
    socket.end();
  } else {
    socket.end(answer);
  }
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS).unref();
  socket.once('close', () => clearTimeout(timer));
}
