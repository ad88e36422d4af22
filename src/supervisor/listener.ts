/** The listening socket, which the supervisor never gives away. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { HatcheryError } from '../errors.js';
import { LISTEN_BACKLOG } from '../front/listening.js';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Connections at a time; more are closed at once. */
  readonly maxConnections: number;
}

export class Listener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * @param accept gets each connection, nothing of it read.
   * @throws HatcheryError PORT_IN_USE, and what else the system says
   */
  static async open(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    const { host, port, maxConnections } = options;
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true });
    server.maxConnections = maxConnections;
    server.on('connection', (socket) => {
      // What goes wrong with it, the worker learns, too.
      socket.on('error', () => {});
      accept(socket);
    });
    server.listen({ host, port, backlog: LISTEN_BACKLOG });
    try {
      await once(server, 'listening');
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? new HatcheryError('PORT_IN_USE', { host, port }, { cause: error })
        : error;
    }
    return new Listener(server);
  }

  /** Where, as `http://host:port`. */
  get url(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Takes no more connections. */
  close(): void {
    this.#server.close();
  }
}
