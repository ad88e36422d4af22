/** Between the standard's Request and Response and what goes to and comes from a function. */
import { HatcheryError } from '../errors.js';
import type { Timeline } from '../timeline.js';
import { BufferedResponse } from './buffered-response.js';
import type { FunctionRequest, Reply } from './exchange.js';
import { nextRequestId } from './request-id.js';

/** A request by its parts, for callers that need no `Request` object. */
export interface RequestParts {
  /** Absolute. */
  readonly url: string;
  /** Default: `GET`. */
  readonly method?: string;
  /** Name and value in turn. */
  readonly headers?: readonly string[];
  readonly body?: Uint8Array | undefined;
}

const timelines = new WeakMap<Response, Timeline>();

/** The timeline of a response that came from a function's `fetch`. */
export function timelineOf(response: Response): Timeline | undefined {
  return timelines.get(response);
}

/** @throws HatcheryError INVALID_ARGUMENT when the URL is not absolute */
export function requestFrom(parts: RequestParts): FunctionRequest {
  if (!URL.canParse(parts.url)) {
    throw new HatcheryError('INVALID_ARGUMENT', { problem: 'The URL must be absolute' });
  }
  return {
    id: nextRequestId(),
    method: parts.method ?? 'GET',
    url: parts.url,
    headers: parts.headers ?? [],
    body: parts.body,
  };
}

/**
 * Reads what the global `fetch` takes.
 * @param limit bytes that its body may have.
 * @throws HatcheryError REQUEST_BODY_TOO_LARGE as soon as more has come; TypeError as `fetch`
 */
export async function partsOf(
  input: string | URL | Request,
  init: RequestInit | undefined,
  limit: number,
): Promise<RequestParts> {
  const request = input instanceof Request && init === undefined ? input : new Request(input, init);
  const headers: string[] = [];
  for (const [name, value] of request.headers) {
    headers.push(name, value);
  }
  return {
    url: request.url,
    method: request.method,
    headers,
    body: request.body === null ? undefined : await readBody(request.body, limit),
  };
}

async function readBody(stream: ReadableStream<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > limit) {
      throw new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** Sets the timeline's phase `reply`. */
export function responseOf(reply: Reply): Response {
  const start = performance.now();
  const { timeline } = reply;
  const response = new BufferedResponse(reply.status, reply.headers, reply.body);
  timeline.reply = performance.now() - start;
  timelines.set(response, timeline);
  return response;
}
