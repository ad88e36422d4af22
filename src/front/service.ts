/** Lets a function answer the requests of an HTTP server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { BaseLogger } from 'pino';
import type { DriverName, Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { Limits } from '../fabric/limits.js';
import { type FunctionRequest, isWhole, type Reply } from '../fabric/message.js';
import { overloaded } from '../fabric/places.js';
import type { Timeline } from '../timeline.js';
import { Connection } from './connection.js';
import { type Head, readHead } from './head.js';
import { IncomingBody } from './incoming-body.js';
import { IncomingRequest } from './incoming-request.js';
import type { Observer } from './observer.js';
import { isForbidden, sendBuffer, sendError } from './response.js';
import { type Route, type Routes, withPrefix } from './routing.js';
import { sendStream } from './stream.js';
import { beginSpan, type Tracing } from './tracing.js';
import { plainAddress, type TrustedPeers } from './trusted-peers.js';

/** What the front needs of a deployed function. */
export interface Answering {
  readonly limits: Limits;
  /** Whether what becomes of a request is to be told. Default: always. */
  isTold?(request: FunctionRequest): boolean;
  /** How its instances come to be, where it has some. */
  readonly strategy?: Strategy | undefined;
  /** @throws HatcheryError as the error that says why there is no reply */
  handle(request: FunctionRequest, timeline: Timeline): Reply | Promise<Reply>;
}

export interface ServiceOptions {
  readonly trusted: TrustedPeers;
  /** How long a client may take to read what is left when its function is done. */
  readonly clientMilliseconds: number;
  readonly logger: BaseLogger;
  readonly observer: Observer | undefined;
  readonly tracing: Tracing | undefined;
  /** Named in each response. */
  readonly driver: DriverName | undefined;
}

/** What a request expects before it sends its body. */
export type Expectation = 'nothing' | 'continue' | 'unknown';

/** Requests of one connection that may be in flight; more of them would only fill the line. */
const MAX_PIPELINED = 100;
/** What a client is told that comes while the server goes, in seconds: others may serve by then. */
const RETRY_SECONDS = 1;

export class Service {
  readonly #routes: Routes;
  readonly #options: ServiceOptions;
  readonly #connections = new WeakMap<Socket, Connection>();
  #inFlight = 0;
  #isDraining = false;
  #idle: (() => void) | undefined;

  constructor(routes: Routes, options: ServiceOptions) {
    this.#routes = routes;
    this.#options = options;
  }

  /** Requests that have not been answered to their end. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** How long a request may take that is in flight now. */
  get longestMilliseconds(): number {
    return this.#routes.longestMilliseconds;
  }

  /** From now on new requests are DRAINING. Resolves when none is in flight. */
  drain(): Promise<void> {
    this.#isDraining = true;
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.change(0);
    });
  }

  /** Counts requests in flight; for connections. */
  change(by: number): void {
    this.#inFlight += by;
    if (this.#inFlight === 0) {
      this.#idle?.();
    }
  }

  connectionOf(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      const address = plainAddress(socket.remoteAddress ?? 'unknown');
      const peer = { address, isTrusted: this.#options.trusted.has(address) };
      connection = new Connection(socket, peer, this);
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  /** Never throws and returns before the answer is there where that takes time. */
  answer(raw: IncomingMessage, response: ServerResponse, expectation: Expectation): void {
    const connection = this.connectionOf(raw.socket);
    if (connection.isClosing) {
      return;
    }
    const request = new IncomingRequest(raw, response, connection);
    request.driver = this.#options.driver;
    connection.begin(request);
    response.on('finish', () => connection.end(request));
    try {
      const reply = this.#reply(request, expectation);
      if (reply instanceof Promise) {
        reply.then((late) => this.#send(request, late)).catch((e) => this.#fail(request, e));
      } else {
        this.#send(request, reply)?.catch((error) => this.#fail(request, error));
      }
    } catch (error) {
      this.#fail(request, error);
    }
  }

  #reply(request: IncomingRequest, expectation: Expectation): Reply | Promise<Reply> {
    const { raw, connection, method } = request;
    if (raw.headers.upgrade !== undefined) {
      // Node's parser loses what comes behind it in the same packet, and would take what comes later
      // for the start of a request.
      request.isLast = true;
      connection.closeAfterResponse();
    }
    if (this.#isDraining) {
      throw new HatcheryError('DRAINING', { retryAfter: RETRY_SECONDS });
    }
    if (connection.size > MAX_PIPELINED) {
      throw overloaded(`${MAX_PIPELINED} requests of this connection are in flight`);
    }
    if (isForbidden(method)) {
      throw new HatcheryError('METHOD_NOT_ALLOWED', { method });
    }
    const head = readHead(raw, connection.peer, this.#routes.bounds.maxHeaders);
    const { answering } = this.#direct(request, head, this.#headersOf(request, head));
    const { limits } = answering;
    request.takesTrailers = head.takesTrailers;
    if (expectation === 'unknown') {
      throw new HatcheryError('EXPECTATION_FAILED');
    }
    if (!head.hasBody) {
      return answering.handle(request, request.timeline);
    }
    if ((head.contentLength ?? 0) > limits.maxRequestBodyBytes) {
      throw new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit: limits.maxRequestBodyBytes });
    }
    if (expectation === 'continue') {
      sendContinue(request);
    }
    return this.#replyToBody(request, answering);
  }

  /** With the trace in it, where this server takes part in traces. */
  #headersOf(request: IncomingRequest, { headers, url }: Head): readonly string[] {
    const { tracing } = this.#options;
    if (tracing === undefined) {
      return headers;
    }
    const begun = beginSpan(headers, tracing.sampling);
    request.span = begun.span;
    request.givenUrl = url;
    return begun.headers;
  }

  /** Finds out whose it is. */
  #direct(request: IncomingRequest, head: Head, headers: readonly string[]): Route {
    const route = this.#routes.route(head.url);
    const { maxHeaders } = route.answering.limits;
    if (request.raw.rawHeaders.length > 2 * maxHeaders) {
      throw new HatcheryError('REQUEST_HEAD_TOO_LARGE', { limit: maxHeaders, unit: 'headers' });
    }
    request.route = route;
    if (request.span?.isSampled === true) {
      // Later it may be another version's.
      request.strategy = route.answering.strategy;
    }
    request.url = route.url ?? head.url;
    request.headers = route.prefix === undefined ? headers : withPrefix(headers, route.prefix);
    return route;
  }

  async #replyToBody(request: IncomingRequest, answering: Answering): Promise<Reply> {
    const body = new IncomingBody(request.raw);
    request.incoming = body;
    request.body = await body.beginning();
    if (request.isGone) {
      throw new HatcheryError('CLIENT_GONE');
    }
    if (!body.isComplete) {
      request.rest = body;
    }
    return answering.handle(request, request.timeline);
  }

  /** @returns a promise where the reply is a stream. */
  #send(request: IncomingRequest, reply: Reply): Promise<void> | undefined {
    const { body } = reply;
    if (isWhole(body)) {
      sendBuffer(request, reply, body);
      this.#limitSending(request);
      this.#observe(request, reply.status);
      return undefined;
    }
    const limit = (request.route as Route).answering.limits.wallMilliseconds;
    return sendStream(request, reply, body, limit).then(() => {
      this.#limitSending(request);
      this.#observe(request, reply.status);
    });
  }

  #observe(request: IncomingRequest, status: number, error?: unknown): void {
    const { id, method, route, timeline, span } = request;
    const { observer, tracing } = this.#options;
    if (route?.answering.isTold?.(request) === false) {
      return;
    }
    observer?.({
      ...{ requestId: id, function: route?.name, method, status, timeline },
      ...(error === undefined ? {} : { error }),
    });
    if (span?.isSampled === true) {
      tracing?.report({
        ...{ span, requestId: id, function: route?.name, strategy: request.strategy },
        ...{ method, url: request.givenUrl, status, error, timeline, until: performance.now() },
      });
    }
  }

  /** A client that does not read its response holds memory for nothing. */
  #limitSending({ response, connection }: IncomingRequest): void {
    if (response.writableLength > 0) {
      const timer = setTimeout(() => connection.cut(), this.#options.clientMilliseconds).unref();
      response.once('close', () => clearTimeout(timer));
    }
  }

  #fail(request: IncomingRequest, error: unknown): void {
    const { id, response, connection, isGone } = request;
    const { logger } = this.#options;
    const known = HatcheryError.from(error);
    known.requestId ??= id;
    if (known.code === 'INTERNAL') {
      logger.error({ requestId: id, err: known.cause }, known.message);
    }
    if (!isGone && response.headersSent) {
      logger.warn({ requestId: id, code: known.code }, 'a response was cut short');
      connection.cut();
    } else if (!isGone) {
      sendError(request, known);
      this.#limitSending(request);
    }
    this.#observe(request, known.status, known);
  }
}

/** Of pipelined requests, each gets its word only when those before it are answered. */
function sendContinue({ response }: IncomingRequest): void {
  const send = () => {
    if (!response.headersSent) {
      response.writeContinue();
    }
  };
  if (response.socket === null) {
    response.once('socket', send);
  } else {
    send();
  }
}
