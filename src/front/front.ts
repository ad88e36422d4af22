/** The data side: an HTTP server that lets a function answer every request. */
import { type IncomingMessage, METHODS, maxHeaderSize, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { type BaseLogger, pino } from 'pino';
import { HatcheryError } from '../errors.js';
import type { FunctionRequest, Reply } from '../fabric/message.js';
import type { Fabric } from '../fabric/fabric.js';
import type { DeployedFunction } from '../fabric/function.js';
import { nextRequestId } from '../fabric/request-id.js';
import { Timeline } from '../timeline.js';
import { answerClientError } from './client-error.js';
import { readBody, readHead } from './request.js';
import { type Asked, sendError, sendReply } from './response.js';

export interface FrontOptions {
  /** Answers every request; must be deployed. */
  readonly functionName: string;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, any free one. */
  readonly port?: number;
  /** Gets what fails inside Hatchery itself. Default: none. */
  readonly logger?: BaseLogger;
}

/** A server that listens. */
export interface Front {
  /** Where, as `http://host:port`. */
  readonly url: string;
  /** Lets what is under way finish and stops listening. */
  close(): Promise<void>;
}

/** A client that has not sent its whole request by then is sent away. */
const REQUEST_MILLISECONDS = 60_000;

/** The methods that a `Request` may not have, and those that need a connection of their own. */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);

/**
 * Serves a function of `fabric` by HTTP.
 * @throws HatcheryError FUNCTION_MISSING, PORT_IN_USE
 */
export async function startFront(fabric: Fabric, options: FrontOptions): Promise<Front> {
  const { functionName, host = '127.0.0.1', port = 0, logger = pino({ enabled: false }) } = options;
  const fn = fabric.function(functionName);
  if (fn === undefined) {
    throw new HatcheryError('FUNCTION_MISSING', { function: functionName });
  }
  const server = createServer((request, response) => answer(fn, logger, request, response));
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new HatcheryError('PORT_IN_USE', { host, port }, { cause: error })
      : error;
  }
  const address = server.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, close: () => closeServer(server) };
}

const IDLE_CHECK_MILLISECONDS = 50;

/** A connection whose request ends only now would else stay until its client lets go of it. */
async function closeServer(server: FastifyInstance): Promise<void> {
  const timer = setInterval(() => server.server.closeIdleConnections(), IDLE_CHECK_MILLISECONDS);
  try {
    await server.close();
  } finally {
    clearInterval(timer);
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** All methods, targets and content types go to the handler, bodies unread. */
function createServer(handler: Handler): FastifyInstance {
  const server = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_MILLISECONDS,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerClientError(error, socket, maxHeaderSize),
    // Targets that the router cannot decode: the function may.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const methods = METHODS.filter((method) => !FORBIDDEN_METHODS.has(method));
  for (const method of methods) {
    if (!server.supportedMethods.includes(method)) {
      server.addHttpMethod(method, { hasBody: true });
    }
  }
  server.route({
    method: methods,
    url: '*',
    handler: (request, reply) => {
      reply.hijack();
      handler(request.raw, reply.raw);
    },
  });
  return server;
}

/** Never throws and returns before the answer is there where that takes time. */
function answer(
  fn: DeployedFunction,
  logger: BaseLogger,
  raw: IncomingMessage,
  response: ServerResponse,
): void {
  const timeline = new Timeline();
  const method = raw.method as string;
  const asked = { id: nextRequestId(), isHead: method === 'HEAD', takesTrailers: false };
  const failed = (error: unknown) => fail(logger, response, error, asked, timeline);
  try {
    const { url, headers, hasBody, takesTrailers } = readHead(raw);
    asked.takesTrailers = takesTrailers;
    const request = (body: Buffer | undefined): FunctionRequest => ({
      id: asked.id,
      method,
      url,
      headers,
      body,
    });
    const reply: Reply | Promise<Reply> = hasBody
      ? readBody(raw, fn.limits.maxRequestBodyBytes).then((body) => fn.handle(request(body), timeline))
      : fn.handle(request(undefined), timeline);
    if (reply instanceof Promise) {
      reply.then((late) => sendReply(response, late, asked)).catch(failed);
    } else {
      sendReply(response, reply, asked);
    }
  } catch (error) {
    failed(error);
  }
}

function fail(
  logger: BaseLogger,
  response: ServerResponse,
  error: unknown,
  asked: Asked,
  timeline: Timeline,
): void {
  const known = HatcheryError.from(error);
  known.requestId ??= asked.id;
  if (known.code === 'INTERNAL') {
    logger.error({ requestId: asked.id, err: known.cause }, known.message);
  }
  if (response.headersSent) {
    response.destroy();
  } else {
    sendError(response, known, asked, timeline);
  }
}
