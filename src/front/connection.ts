/** A connection of a client: who it is, its requests in flight, and how it ends. */
import type { Socket } from 'node:net';
import type { HatcheryError } from '../errors.js';
import type { Peer } from './head.js';
import type { IncomingBody } from './incoming-body.js';
import { rawResponse } from './raw-response.js';

/** So long a client may go on sending after its last answer before it is cut off. */
const LINGER_MILLISECONDS = 5_000;

/** Counts requests in flight, on all connections. */
export interface Counter {
  change(by: number): void;
}

/** What a connection needs to know of a request in flight. */
interface InFlight {
  /** All of the body that the client sends, where it sends one. */
  readonly incoming: IncomingBody | undefined;
  /** The client went away. */
  abandon(): void;
}

export class Connection {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #counter: Counter;
  /** In the order in which they came, which is that of their answers. */
  readonly #inFlight = new Set<InFlight>();
  /** No request that comes now will be answered. */
  #isClosing = false;
  #lingers = false;
  #parting: string | undefined;

  constructor(socket: Socket, peer: Peer, counter: Counter) {
    this.#socket = socket;
    this.peer = peer;
    this.#counter = counter;
    socket.once('close', () => this.#closed());
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Requests in flight. */
  get size(): number {
    return this.#inFlight.size;
  }

  begin(request: InFlight): void {
    this.#inFlight.add(request);
    this.#counter.change(1);
  }

  /** Its response is sent. */
  end(request: InFlight): void {
    if (!this.#inFlight.delete(request)) {
      return;
    }
    this.#counter.change(-1);
    if (request.incoming?.isComplete === false) {
      request.incoming.discard();
      this.closeAfterResponse();
    }
    if (this.#isClosing && this.#inFlight.size === 0) {
      this.#part();
    }
  }

  /**
   * The response that is sent last has to say `Connection: close`. A client that still sends would
   * lose it if the connection were closed at once, as the kernel answers with a reset.
   */
  closeAfterResponse(): void {
    this.#isClosing = true;
    this.#socket.destroySoon = () => this.#linger();
  }

  /**
   * Answers what cannot be understood as a request. Those before it are answered first, and one
   * whose body it was meant to be breaks off.
   */
  refuse(error: HatcheryError, headers: readonly string[] = []): void {
    if (this.#isClosing) {
      return;
    }
    this.#isClosing = true;
    const last = [...this.#inFlight].at(-1);
    if (last?.incoming?.isComplete === false) {
      last.incoming.fail(error);
      return;
    }
    this.#parting = rawResponse(error, headers);
    if (this.#inFlight.size === 0) {
      this.#part();
    }
  }

  #part(): void {
    if (this.#parting !== undefined && this.#socket.writable) {
      this.#socket.write(this.#parting);
    }
    this.#linger();
  }

  #linger(): void {
    const socket = this.#socket;
    if (this.#lingers || socket.destroyed) {
      return;
    }
    this.#lingers = true;
    if (socket.writable) {
      socket.end();
    }
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  /** The client cannot be given the rest of its response, and is to notice. */
  cut(): void {
    this.#isClosing = true;
    // What was written in this turn is still on its way to the kernel.
    setImmediate(() => this.#socket.destroy());
  }

  #closed(): void {
    this.#isClosing = true;
    this.#counter.change(-this.#inFlight.size);
    for (const request of this.#inFlight) {
      request.abandon();
    }
    this.#inFlight.clear();
  }
}
