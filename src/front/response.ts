/** From what a function answered, or from an error, to an HTTP response of Node's. */
import type { ServerResponse } from 'node:http';
import type { HatcheryError } from '../errors.js';
import type { Reply } from '../fabric/message.js';
import { serverTimingEntry, type Timeline } from '../timeline.js';
import { isHopByHop } from './hop-by-hop.js';

/** What the response needs to know of its request. */
export interface Asked {
  readonly id: string;
  readonly isHead: boolean;
  readonly takesTrailers: boolean;
}

/** Sends a reply. Its timeline gets the phase `reply`. */
export function sendReply(response: ServerResponse, reply: Reply, asked: Asked): void {
  const { status, timeline } = reply;
  const body = reply.body as Buffer;
  const start = performance.now();
  const bodyAllowed = !asked.isHead && status !== 204 && status !== 304;
  const withTrailer = bodyAllowed && asked.takesTrailers;
  const headers = ownHeaders(asked, timeline);
  const givenLength = addGuestHeaders(headers, reply.headers);
  if (withTrailer) {
    headers.push('Trailer', 'Server-Timing');
  } else if (status !== 204) {
    const length = contentLength(body, givenLength, bodyAllowed);
    if (length !== undefined) {
      headers.push('Content-Length', length);
    }
  }
  response.writeHead(status, headers);
  if (withTrailer) {
    response.write(body);
    timeline.reply = performance.now() - start;
    response.addTrailers({ 'Server-Timing': serverTimingEntry('reply', timeline.reply) });
    response.end();
  } else {
    response.end(bodyAllowed ? body : undefined);
  }
  timeline.reply ??= performance.now() - start;
}

/** Sends an error as JSON. */
export function sendError(
  response: ServerResponse,
  error: HatcheryError,
  asked: Asked,
  timeline: Timeline,
): void {
  const body = JSON.stringify(error);
  const headers = ownHeaders(asked, timeline);
  headers.push('Content-Type', 'application/json');
  headers.push('Content-Length', String(Buffer.byteLength(body)));
  if (typeof error.details.retryAfter === 'number') {
    headers.push('Retry-After', String(error.details.retryAfter));
  }
  if (error.code === 'REQUEST_BODY_TOO_LARGE') {
    // The rest of the body is not read, so the connection cannot be used again.
    headers.push('Connection', 'close');
  }
  response.writeHead(error.status, headers);
  response.end(asked.isHead ? undefined : body);
}

function ownHeaders(asked: Asked, timeline: Timeline): string[] {
  const headers = ['X-Request-Id', asked.id];
  const timing = timeline.toServerTiming();
  if (timing !== '') {
    headers.push('Server-Timing', timing);
  }
  return headers;
}

/** @returns the value of the guest's own Content-Length, which is not added. */
function addGuestHeaders(target: string[], headers: readonly string[]): string | undefined {
  let givenLength: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === 'content-length') {
      givenLength = value;
    } else if (name !== 'x-request-id' && !isHopByHop(name)) {
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
  if (bodyAllowed || body.length > 0) {
    return String(body.length);
  }
  return given !== undefined && /^\d{1,15}$/.test(given) ? given : undefined;
}
