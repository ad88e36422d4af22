/** From what a function answered, or from an error, to an HTTP response of Node's. */
import { METHODS } from 'node:http';
import type { HatcheryError } from '../errors.js';
import { FORBIDDEN_METHODS, type Reply } from '../fabric/message.js';
import { isHopByHop } from '../hop-by-hop.js';
import type { IncomingRequest } from './incoming-request.js';
import { endWithTrailer } from './trailer.js';

export function isForbidden(method: string): boolean {
  return FORBIDDEN_METHODS.has(method);
}

/** What METHOD_NOT_ALLOWED has to be sent with. */
export const ALLOW = METHODS.filter((method) => !isForbidden(method)).join(', ');

/** The head of a response, before it is sent. */
export interface ResponseHead {
  /** Name and value in turn. */
  readonly headers: string[];
  /** What the function said of its body's length, if that is a number. */
  readonly givenLength: string | undefined;
  readonly bodyAllowed: boolean;
  /** The timeline's end comes as a trailer. */
  readonly withTrailer: boolean;
}

export function responseHead(request: IncomingRequest, reply: Reply): ResponseHead {
  const { status } = reply;
  const bodyAllowed = request.method !== 'HEAD' && status !== 204 && status !== 304;
  const headers = ownHeaders(request);
  const givenLength = addGuestHeaders(headers, reply.headers);
  const withTrailer = bodyAllowed && request.takesTrailers;
  if (withTrailer) {
    headers.push('Trailer', 'Server-Timing');
  }
  // What comes of the body after the response is nobody's.
  if (request.isLast || request.incoming?.isComplete === false) {
    closeAfter(request, headers);
  }
  return { headers, givenLength, bodyAllowed, withTrailer };
}

/** Sends a reply whose body is there. Its timeline gets the phase `reply`. */
export function sendBuffer(request: IncomingRequest, reply: Reply, body: Buffer): void {
  const { response, timeline } = request;
  const start = performance.now();
  timeline.replyStart = start;
  const { headers, givenLength, bodyAllowed, withTrailer } = responseHead(request, reply);
  if (!withTrailer && reply.status !== 204) {
    const length = contentLength(body, givenLength, bodyAllowed);
    if (length !== undefined) {
      headers.push('Content-Length', length);
    }
  }
  response.writeHead(reply.status, headers);
  if (withTrailer) {
    response.write(body);
    timeline.reply = performance.now() - start;
    endWithTrailer(request);
  } else {
    response.end(bodyAllowed ? body : undefined);
  }
  timeline.reply ??= performance.now() - start;
}

/** Sends an error as JSON. */
export function sendError(request: IncomingRequest, error: HatcheryError): void {
  const { response } = request;
  const body = JSON.stringify(error);
  const headers = ownHeaders(request);
  headers.push('Content-Type', 'application/json');
  headers.push('Content-Length', String(Buffer.byteLength(body)));
  if (typeof error.details.retryAfter === 'number') {
    headers.push('Retry-After', String(error.details.retryAfter));
  }
  if (error.code === 'METHOD_NOT_ALLOWED') {
    headers.push('Allow', ALLOW);
  }
  if (error.code === 'DRAINING' || request.isLast || request.isIncomplete) {
    closeAfter(request, headers);
  }
  response.writeHead(error.status, headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}

function closeAfter({ connection }: IncomingRequest, headers: string[]): void {
  connection.closeAfterResponse();
  headers.push('Connection', 'close');
}

function ownHeaders({ id, driver, timeline }: IncomingRequest): string[] {
  const headers = ['X-Request-Id', id];
  if (driver !== undefined) {
    headers.push('X-Hatchery-Driver', driver);
  }
  const timing = timeline.toServerTiming();
  if (timing !== '') {
    headers.push('Server-Timing', timing);
  }
  return headers;
}

/** No function can say these itself. */
const OWN_NAMES = new Set(['x-request-id', 'x-hatchery-driver']);

/** @returns the value of the guest's own Content-Length, which is not added. */
function addGuestHeaders(target: string[], headers: readonly string[]): string | undefined {
  let givenLength: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === 'content-length') {
      givenLength = /^\d{1,15}$/.test(value) ? value : undefined;
    } else if (!OWN_NAMES.has(name) && !isHopByHop(name)) {
      target.push(name, value);
    }
  }
  return givenLength;
}

/** A response without a body may say how long the body would be. */
function contentLength(
  body: Buffer,
  given: string | undefined,
  bodyAllowed: boolean,
): string | undefined {
  return bodyAllowed || body.length > 0 ? String(body.length) : given;
}
