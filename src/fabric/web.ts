/** Between the standard's Request and Response and what goes to and comes from a function. */
import { HatcheryError } from '../errors.js';
import type { Timeline } from '../timeline.js';
import type { Usage } from '../usage.js';
import { bufferedResponse, streamedResponse } from './buffered-response.js';
import { type ByteStream, type FunctionRequest, isWhole, type Reply } from './message.js';
import { nextRequestId } from './request-id.js';

/** A request by its parts, for callers that need no `Request` object. */
export interface RequestParts {
  /** Names it in logs and errors. Default: a new name. */
  readonly id?: string;
  /** Absolute. */
  readonly url: string;
  /** Default: `GET`. */
  readonly method?: string;
  /** Name and value in turn. */
  readonly headers?: readonly string[];
  readonly body?: Uint8Array | undefined;
  /** What of the body comes behind that. */
  readonly rest?: ByteStream | undefined;
  /** Ends the instance that answers. */
  readonly signal?: AbortSignal | undefined;
}

const timelines = new WeakMap<Response, Timeline>();

/** The timeline of a response that came from a function's `fetch`. */
export function timelineOf(response: Response): Timeline | undefined {
  return timelines.get(response);
}

/**
 * What the request of a response that came from a function's `fetch` used. Resolves when its instance is
 * gone: for a streamed response, that is after it was read. The timeline has the phase `end` then, too.
 */
export function usageOf(response: Response): Promise<Usage | undefined> {
  const timeline = timelines.get(response);
  return new Promise((resolve) => {
    if (timeline === undefined) {
      resolve(undefined);
    } else {
      timeline.whenOver(() => resolve(timeline.usage));
    }
  });
}

/** @throws HatcheryError INVALID_ARGUMENT when the URL is not absolute */
export function requestFrom(parts: RequestParts): FunctionRequest {
  if (!URL.canParse(parts.url)) {
    throw new HatcheryError('INVALID_ARGUMENT', { problem: 'The URL must be absolute' });
  }
  return {
    id: parts.id ?? nextRequestId(),
    method: parts.method ?? 'GET',
    url: parts.url,
    headers: parts.headers ?? [],
    body: parts.body,
    rest: parts.rest,
  };
}

/** Of a body that comes as a stream, so much is collected before an instance gets the request. */
const COLLECTED_BYTES = 64 * 1024;
/** For so long; an instance is not to wait for those who send their request slowly. */
const COLLECTING_MILLISECONDS = 100;

/** Reads what the global `fetch` takes. @throws TypeError as `fetch` */
export async function partsOf(
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<RequestParts> {
  const request = input instanceof Request && init === undefined ? input : new Request(input, init);
  const headers: string[] = [];
  for (const [name, value] of request.headers) {
    headers.push(name, value);
  }
  const head = { url: request.url, method: request.method, headers, signal: request.signal };
  return request.body === null ? head : { ...head, ...(await collect(request.body)) };
}

/** What comes of the stream soon, and the rest. */
async function collect(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ body: Uint8Array; rest?: ByteStream }> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), COLLECTING_MILLISECONDS);
  });
  let next: Promise<IteratorResult<Uint8Array>> | undefined;
  try {
    while (bytes < COLLECTED_BYTES) {
      next = iterator.next();
      const result = await Promise.race([next, late]);
      if (result === undefined) {
        break;
      }
      next = undefined;
      if (result.done) {
        return { body: Buffer.concat(chunks, bytes) };
      }
      chunks.push(result.value);
      bytes += result.value.length;
    }
  } finally {
    clearTimeout(timer);
  }
  return { body: Buffer.concat(chunks, bytes), rest: restOf(iterator, next) };
}

async function* restOf(
  iterator: AsyncIterator<Uint8Array>,
  begun: Promise<IteratorResult<Uint8Array>> | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    let result = await (begun ?? iterator.next());
    for (; !result.done; result = await iterator.next()) {
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Sets the timeline's phase `reply`. */
export function responseOf(reply: Reply): Response {
  const start = performance.now();
  const { status, headers, body, timeline } = reply;
  const response = isWhole(body)
    ? bufferedResponse(status, headers, body)
    : streamedResponse(status, headers, body);
  timeline.reply = performance.now() - start;
  timelines.set(response, timeline);
  return response;
}

/**
 * Answers a request as the global `fetch` does: when the request's signal is aborted, nobody waits for
 * the answer any more.
 */
export async function answer(
  parts: RequestParts,
  handle: (request: FunctionRequest) => Reply | Promise<Reply>,
): Promise<Response> {
  const { signal } = parts;
  signal?.throwIfAborted();
  const request = requestFrom(parts);
  const reply = handle(request);
  if (!(reply instanceof Promise)) {
    return responseOf(reply);
  }
  signal?.addEventListener('abort', () => request.onGone?.(), { once: true });
  try {
    return responseOf(await reply);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
