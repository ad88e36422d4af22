/** The data side: an HTTP server that lets a function answer every request. */
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type BaseLogger, pino } from 'pino';
import type { DriverName } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { LISTEN_BACKLOG, MAX_CONNECTIONS } from './listening.js';
import type { Observer } from './observer.js';
import { type NamedFunctions, OneRoute, type Routes, RoutesByName } from './routing.js';
import { createServer } from './server.js';
import { Service } from './service.js';
import type { Tracing } from './tracing.js';
import { TrustedPeers } from './trusted-peers.js';

export interface FrontOptions {
  /**
   * Answers every request; must be deployed. Default: each request goes to the function that its host
   * or the first segment of its path names.
   */
  readonly functionName?: string | undefined;
  /** Where requests go by name: answers the path `/`, which names none. Default: nobody. */
  readonly rootFunction?: string | undefined;
  /** Named in each response by the header X-Hatchery-Driver. Default: it is not. */
  readonly driver?: DriverName | undefined;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /**
   * Proxies, as addresses or CIDR blocks, whose X-Forwarded-* and Forwarded are taken. Those of
   * other peers are replaced. Default: none.
   */
  readonly trustProxy?: readonly string[];
  /** Connections at a time; more are closed at once. Default: 10,000. */
  readonly maxConnections?: number;
  /**
   * How long a client may take to send the head of a request, and to read what is left of its
   * response when the function is done. Default: 60,000.
   */
  readonly clientMilliseconds?: number;
  /** Gets what fails inside Hatchery itself. Default: none. */
  readonly logger?: BaseLogger;
  /** Is told of each request that was answered. Default: nobody. */
  readonly observer?: Observer | undefined;
  /** Takes part in distributed traces. Default: what comes of one is passed on as it is. */
  readonly tracing?: Tracing | undefined;
}

/** A server that listens. */
export interface Front {
  /** Where, as `http://host:port`. */
  readonly url: string;
  /** Requests that have not been answered to their end. */
  readonly inFlight: number;
  /**
   * Lets what is in flight finish, streams included; new requests get DRAINING. Then stops
   * listening.
   * @param milliseconds after which what is still in flight is cut off.
   * @returns whether all finished.
   */
  drain(milliseconds: number): Promise<boolean>;
  /** As `drain`, for as long as a request may take and 5 s more. */
  close(): Promise<void>;
}

/** What the front needs of a fabric: all but `function` only where it routes by name. */
export type Functions = Pick<NamedFunctions, 'function'> & Partial<NamedFunctions>;

const CLIENT_MILLISECONDS = 60_000;
const CUT_MILLISECONDS = 20;
/** What clients get to read their answers when all requests have had their time. */
const READING_MILLISECONDS = 5_000;

/** A front that does not listen. */
export interface OpenFront extends Omit<Front, 'url'> {
  readonly server: Server;
  /** Serves a connection that somebody else accepted; from now on it is the front's. */
  accept(socket: Socket): void;
}

/**
 * Serves a function of `functions` by HTTP, or all of them. Where it is one, the largest head of a
 * request and the time for one are those of the function's limits at this moment; the other limits
 * follow when it is deployed again.
 * @throws HatcheryError FUNCTION_MISSING, PORT_IN_USE, INVALID_ARGUMENT
 */
export async function startFront(functions: Functions, options: FrontOptions): Promise<Front> {
  const { host = '127.0.0.1', port = 0 } = options;
  const { server, service } = create(functions, options);
  try {
    await server.listen({ host, port, backlog: LISTEN_BACKLOG });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new HatcheryError('PORT_IN_USE', { host, port }, { cause: error })
      : error;
  }
  return new ListeningFront(server, service);
}

/**
 * As {@link startFront}, but it listens nowhere: `host`, `port` and `maxConnections` mean nothing.
 * @throws HatcheryError FUNCTION_MISSING, INVALID_ARGUMENT
 */
export async function openFront(functions: Functions, options: FrontOptions): Promise<OpenFront> {
  const { server, service } = create(functions, options);
  await server.ready();
  // Node begins to watch over slow clients when a server listens.
  server.server.emit('listening');
  return new GivenFront(server, service);
}

function create(functions: Functions, options: FrontOptions) {
  const routes = routesOf(functions, options);
  const {
    observer,
    tracing,
    clientMilliseconds = CLIENT_MILLISECONDS,
    maxConnections = MAX_CONNECTIONS,
  } = options;
  const logger = options.logger ?? pino({ enabled: false });
  const trusted = new TrustedPeers(options.trustProxy ?? []);
  const service = new Service(routes, {
    ...{ trusted, clientMilliseconds, logger, observer, tracing },
    driver: options.driver,
  });
  const { bounds } = routes;
  const server = createServer(service, { maxConnections, clientMilliseconds, bounds });
  return { server, service };
}

function routesOf(
  functions: Functions,
  { functionName: name, rootFunction }: FrontOptions,
): Routes {
  if (name !== undefined) {
    const answering = functions.function(name);
    if (answering === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: name });
    }
    return new OneRoute(name, answering);
  }
  if (functions.boundTo === undefined || functions.functions === undefined) {
    throw new HatcheryError('INVALID_ARGUMENT', { problem: 'functionName must be given' });
  }
  return new RoutesByName(functions as NamedFunctions, rootFunction);
}

class ServingFront {
  readonly #server: FastifyInstance;
  readonly #service: Service;
  #draining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(server: FastifyInstance, service: Service) {
    this.#server = server;
    this.#service = service;
  }

  get inFlight(): number {
    return this.#service.inFlight;
  }

  async drain(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds);
    });
    const inTime = await Promise.race([this.#drained().then(() => true), late]);
    clearTimeout(timer);
    await this.#close();
    // Those that were cut off end with their connections.
    await this.#drained();
    return inTime;
  }

  async close(): Promise<void> {
    await this.drain(this.#service.longestMilliseconds + READING_MILLISECONDS);
  }

  #drained(): Promise<void> {
    this.#draining ??= this.#service.drain();
    return this.#draining;
  }

  #close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  /** Clients that have their answers but keep their connections are not waited for. */
  async #closeNow(): Promise<void> {
    const cut = () => this.#server.server.closeAllConnections();
    // Until it has stopped listening, more of them may come.
    const timer = setInterval(cut, CUT_MILLISECONDS);
    try {
      cut();
      await this.#server.close();
    } finally {
      clearInterval(timer);
    }
  }
}

class ListeningFront extends ServingFront implements Front {
  readonly url: string;

  constructor(server: FastifyInstance, service: Service) {
    super(server, service);
    const { address, family, port } = server.server.address() as AddressInfo;
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }
}

class GivenFront extends ServingFront implements OpenFront {
  readonly server: Server;

  constructor(server: FastifyInstance, service: Service) {
    super(server, service);
    this.server = server.server as Server;
  }

  accept(socket: Socket): void {
    // As Node does with those that it accepts itself.
    socket.setNoDelay(true);
    this.server.emit('connection', socket);
  }
}
