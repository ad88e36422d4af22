/**
 * The HTTP server of the control API: the routes are the operations, the dashboard's files,
 * /openapi.json and /metrics, and nothing else is there.
 */
import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { BaseLogger } from 'pino';
import { openApi } from '../../api/openapi.js';
import type { Operation } from '../../api/operation.js';
import { OPERATIONS, type OperationId } from '../../api/operations.js';
import { HatcheryError } from '../../errors.js';
import { nextRequestId } from '../../fabric/request-id.js';
import type { TokenFacts } from '../access/token.js';
import type { Tokens } from '../access/tokens.js';
import type { Exposition } from '../metrics/exposition.js';
import { limitBodyTime, limitUploadTime } from './body-time.js';
import { serveDashboard } from './dashboard-files.js';
import { answerClientError, knownError, sendError } from './errors.js';
import type { EventStreams } from './event-streams.js';
import { HostGuard } from './guards.js';
import type { Call, Handlers } from './handlers.js';
import { compileValidator } from './validation.js';

export interface ControlServerOptions {
  readonly handlers: Handlers;
  readonly tokens: Tokens;
  readonly streams: EventStreams;
  /** Names that it is served as, besides those of this machine. */
  readonly hosts: readonly string[];
  readonly logger: BaseLogger;
  readonly version: string;
  /** What Prometheus gets. */
  metrics(): Promise<Exposition>;
  readonly timeouts?: ControlTimeouts | undefined;
}

export interface ControlTimeouts {
  /** How long a client may take to send the head of a request. */
  readonly headMilliseconds: number;
  /** The same for its body, and for a pause in an upload. */
  readonly requestMilliseconds: number;
}

const TIMEOUTS: ControlTimeouts = { headMilliseconds: 10_000, requestMilliseconds: 60_000 };
const CHECK_MILLISECONDS = 1_000;
const KEEP_ALIVE_MILLISECONDS = 10_000;
const MAX_CONNECTIONS = 12_000;
const BODY_BYTES = 64 * 1024;

export function createControlServer(options: ControlServerOptions): FastifyInstance {
  const { handlers, logger, timeouts = TIMEOUTS } = options;
  const guard = new HostGuard(options.hosts);
  const server = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    genReqId: nextRequestId,
    bodyLimit: BODY_BYTES,
    forceCloseConnections: true,
    serverFactory: (listener) => {
      const http = createHttpServer(
        {
          headersTimeout: timeouts.headMilliseconds,
          // Each route has its own.
          requestTimeout: 0,
          connectionsCheckingInterval: Math.min(CHECK_MILLISECONDS, timeouts.headMilliseconds),
          keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
        },
        listener,
      );
      http.maxConnections = MAX_CONNECTIONS;
      return http;
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket as Socket),
    frameworkErrors: (error, request, reply) =>
      sendError(reply, knownError(error, BODY_BYTES), String(request.id), logger),
  });
  server.removeContentTypeParser('text/plain');
  server.setValidatorCompiler(compileValidator as never);
  server.setErrorHandler((error, request, reply) => {
    const limit = request.routeOptions.bodyLimit ?? BODY_BYTES;
    sendError(reply, knownError(error, limit), request.id, logger);
  });
  server.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    sendError(reply, new HatcheryError('ROUTE_MISSING', { path }), request.id, logger);
  });
  // Before anything of it is looked at.
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'X-Request-Id': request.id, 'Cache-Control': 'no-store' });
    reply.header('X-Content-Type-Options', 'nosniff');
    const limitTime = request.routeOptions.config.takesBytes ? limitUploadTime : limitBodyTime;
    limitTime(request.raw, timeouts.requestMilliseconds);
    guard.check(request.headers);
  });
  const ids = Object.keys(OPERATIONS) as OperationId[];
  for (const id of ids.filter((one) => !takesBytes(one))) {
    addRoute(server, options, OPERATIONS[id], handlers[id] as never);
  }
  // Within a scope of their own, that nothing else takes bytes.
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/octet-stream', (_, payload, done) =>
      done(null, payload),
    );
    for (const id of ids.filter(takesBytes)) {
      addRoute(scope, options, OPERATIONS[id], handlers[id] as never);
    }
  });
  serveDashboard(server);
  const description = JSON.stringify(openApi(options.version));
  server.get('/openapi.json', (_, reply) => reply.type('application/json').send(description));
  addMetrics(server, options);
  return server;
}

/** In the format and at the path that Prometheus knows, so no operation of the API. */
function addMetrics(server: FastifyInstance, { tokens, metrics }: ControlServerOptions): void {
  server.get('/metrics', {
    onRequest: async (request) => {
      tokens.check(request.headers.authorization, 'read');
    },
    handler: async (_, reply) => {
      const { contentType, text } = await metrics();
      return reply.type(contentType).send(text);
    },
  });
}

function takesBytes(id: OperationId): boolean {
  return (OPERATIONS[id] as Operation).takesBytes === true;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    takesBytes?: boolean;
  }
}

type AnyHandler = (call: Call<never>) => Promise<unknown>;

function addRoute(
  server: FastifyInstance,
  { tokens, streams }: ControlServerOptions,
  operation: Operation,
  handle: AnyHandler,
): void {
  const { method, path, access, params, query, body, response, status, events } = operation;
  const token = new WeakMap<FastifyRequest, TokenFacts>();
  server.route({
    method,
    url: path,
    config: { takesBytes: operation.takesBytes === true },
    bodyLimit: operation.maxBodyBytes ?? BODY_BYTES,
    schema: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body }),
      // What is in no schema does not leave.
      ...(response === undefined ? {} : { response: { [status]: response } }),
    },
    onRequest: async (request) => {
      if (access !== 'none') {
        token.set(request, tokens.check(request.headers.authorization, access));
      }
    },
    handler: async (request, reply) => {
      const asked = callOf(request, reply, token.get(request), streams);
      const answer = await handle(asked as never);
      if (events === undefined) {
        return reply.code(status).send(answer);
      }
      return reply;
    },
  });
}

function callOf(
  request: FastifyRequest,
  reply: FastifyReply,
  token: TokenFacts | undefined,
  streams: EventStreams,
) {
  const { params, query, body, headers } = request;
  const last = headers['last-event-id'];
  const { 'content-length': length } = headers;
  return {
    ...{ params, query, token },
    body: body instanceof Readable ? undefined : body,
    // Whoever stops reading has yet to answer.
    bytes: body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : Readable.from([]),
    length: length === undefined ? undefined : Number(length),
    requestId: request.id,
    lastEventId: typeof last === 'string' ? last : undefined,
    stream: () => {
      const given = Object.entries(reply.getHeaders()).map(([name, value]) => [
        name,
        String(value),
      ]);
      const stream = streams.open(reply.raw, token?.id ?? '', Object.fromEntries(given));
      reply.hijack();
      return stream;
    },
  };
}
