/** The worker's side of the table: keeps it true while requests come and go. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionTable } from './connection-table.js';

interface Noted {
  readonly slot: number;
  /** Requests in flight. */
  size: number;
}

export class ConnectionNotes {
  readonly #table: ConnectionTable;
  readonly #noted = new WeakMap<Socket, Noted>();

  constructor(table: ConnectionTable, server: Server) {
    this.#table = table;
    const begin = (request: IncomingMessage, response: ServerResponse) =>
      this.#begin(request.socket, response);
    // Before the server's own listeners, which may answer at once.
    for (const event of ['request', 'checkContinue', 'checkExpectation']) {
      server.prependListener(event, begin);
    }
  }

  add(slot: number, socket: Socket): void {
    this.#noted.set(socket, { slot, size: 0 });
  }

  #begin(socket: Socket, response: ServerResponse): void {
    const noted = this.#noted.get(socket);
    if (noted === undefined) {
      return;
    }
    noted.size += 1;
    // Before Node's own listener, which begins to send the next response.
    response.prependOnceListener('finish', () => {
      noted.size -= 1;
      this.#table.noteWritten(noted.slot, socket.bytesWritten);
      if (noted.size === 0) {
        this.#table.noteReceived(noted.slot, socket.bytesRead);
      }
    });
  }
}
