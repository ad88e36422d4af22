/** The HTTP server under the front: Node's strict parser, no router in between. */
import { createServer as createHttpServer, METHODS, type Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { answerClientError, refuseConnect } from './client-error.js';
import type { Routes } from './routing.js';
import type { Service } from './service.js';

export interface ServerOptions {
  /** Connections at a time; more are closed at once. */
  readonly maxConnections: number;
  /** How long a client may take to send the head of a request. */
  readonly clientMilliseconds: number;
  readonly bounds: Routes['bounds'];
}

/** Longer than most proxies keep theirs open, so that it is they who close. */
const KEEP_ALIVE_MILLISECONDS = 72_000;
/** How often Node looks for clients that are too slow. */
const CHECK_MILLISECONDS = 5_000;

/**
 * Fastify would load its schema compilers when it is made (60 ms of a process's start, and 5 MiB), used
 * or not. The only route has no schema.
 */
const NO_SCHEMAS = {
  buildValidator: () => {
    throw new Error('no route has a schema to validate');
  },
  buildSerializer: () => {
    throw new Error('no route has a schema to serialise');
  },
};

/** All methods, targets and content types go to the service, bodies unread. */
export function createServer(service: Service, options: ServerOptions): FastifyInstance {
  const { bounds } = options;
  const server = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    schemaController: { compilersFactory: NO_SCHEMAS },
    // While it closes, too, the service answers.
    return503OnClosing: false,
    serverFactory: (listener) => configure(createHttpServer(parsing(options), listener), options),
    clientErrorHandler: (error, socket) => {
      const connection = service.connectionOf(socket);
      answerClientError(error, socket, connection, bounds.maxRequestHeadBytes);
    },
    // Targets that the router cannot decode: the function may.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      service.answer(request.raw, reply.raw, 'nothing');
    },
  });
  const methods = METHODS.filter((method) => method !== 'CONNECT');
  for (const method of methods) {
    if (!server.supportedMethods.includes(method)) {
      server.addHttpMethod(method, { hasBody: false });
    }
  }
  server.route({
    method: methods,
    url: '*',
    // Before Fastify looks at the body or its type.
    onRequest: (request, reply, _done) => {
      reply.hijack();
      service.answer(request.raw, reply.raw, 'nothing');
    },
    handler: () => {},
  });
  server.server.on('checkContinue', (raw, reply) => service.answer(raw, reply, 'continue'));
  server.server.on('checkExpectation', (raw, reply) => service.answer(raw, reply, 'unknown'));
  server.server.on('connect', (_raw, socket) =>
    refuseConnect(socket, service.connectionOf(socket as Socket)),
  );
  return server;
}

function parsing({ clientMilliseconds, bounds }: ServerOptions) {
  return {
    insecureHTTPParser: false,
    // The service says so itself, as JSON.
    requireHostHeader: false,
    maxHeaderSize: bounds.maxRequestHeadBytes,
    headersTimeout: clientMilliseconds,
    // While a function reads a body, its own limit is what counts.
    requestTimeout: clientMilliseconds + bounds.wallMilliseconds,
    connectionsCheckingInterval: Math.min(CHECK_MILLISECONDS, clientMilliseconds),
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
  };
}

function configure(server: Server, { maxConnections }: ServerOptions): Server {
  // Node would else drop headers without a word.
  server.maxHeadersCount = 0;
  server.maxConnections = maxConnections;
  return server;
}
