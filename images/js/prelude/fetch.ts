/** The Fetch standard's fetch: the host makes the connection. */

import type { AbortSignal } from './abort.js';
import { type Content, contentBytes, takeContent } from './body.js';
import { networkError } from './call-errors.js';
import { abortCall, isCurrent, startCall } from './calls.js';
import { Headers, headOf } from './headers.js';
import { host } from './host.js';
import { Request, type RequestInit, signalOf } from './request.js';
import { makeFetched, type Response } from './response.js';
import { requireRequest } from './serving.js';
import { Source } from './source.js';
import type { URL } from './url.js';

/** HATCHERY_FETCH_FOLLOW, _ERROR and _MANUAL of images/abi/hatchery.h. */
const REDIRECT_FLAGS: Readonly<Record<string, number>> = { follow: 0, error: 1, manual: 2 };

/**
 * Headers that are the host's: Fetch's forbidden request-headers, as far as they are about the
 * connection. They are left out, so that a request that came in can be sent on as it is.
 */
const HOST_OWNED =
  /^(connection|content-length|expect|host|http2-settings|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*)$/;

function headersToSend(headers: Headers): string {
  const names = [...headers.keys()].filter((name) => HOST_OWNED.test(name));
  if (names.length === 0) return headOf(headers);
  const sent = new Headers(headers);
  for (const name of names) sent.delete(name);
  return headOf(sent);
}

/** struct hatchery_response. */
const RESPONSE_HEADER_BYTES = 16;
const RESPONSE_MORE = 1;

/** The body of a response, which the host holds and gives by and by. */
class RemoteBody extends Source {
  readonly #fetch: number;
  readonly #onEnd: () => void;
  #read = 0;
  #isAtEnd = false;
  #failure: { readonly reason: unknown } | undefined;

  /** @param onEnd is called once nothing more is to come */
  constructor(fetch: number, onEnd: () => void) {
    super();
    this.#fetch = fetch;
    this.#onEnd = onEnd;
  }

  override isWhole(): boolean {
    return false;
  }

  override async chunk(): Promise<Uint8Array | undefined> {
    if (this.#failure !== undefined) throw this.#failure.reason;
    if (this.#isAtEnd) return undefined;
    if (!isCurrent(this.#fetch)) throw new TypeError('the request is over');
    const read = startCall((id) => host.startRead(id, this.#fetch));
    this.#read = read.id;
    let bytes: Uint8Array;
    try {
      bytes = await read.answer;
    } catch (failure) {
      this.#fail(networkError(failure));
      throw networkError(failure);
    } finally {
      this.#read = 0;
    }
    if (bytes.length > 0) return bytes;
    this.#end();
    return undefined;
  }

  override cancel(): void {
    this.abort(undefined);
  }

  abort(reason: unknown): void {
    if (this.#isAtEnd) return;
    this.#fail(reason);
    if (this.#read !== 0) abortCall(this.#read, reason);
    abortCall(this.#fetch, reason);
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.#end();
  }

  #end(): void {
    this.#isAtEnd = true;
    this.#onEnd();
  }
}

/** Strings with a NUL behind each, in ISO 8859-1. */
function strings(bytes: Uint8Array): string[] {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  const parts = text.split('\0');
  parts.pop();
  return parts;
}

function withoutFragment(url: string): string {
  const at = url.indexOf('#');
  return at < 0 ? url : url.slice(0, at);
}

/** Tells `abort` when the signal is aborted; the function that is returned ends that. */
function follow(signal: AbortSignal | undefined, abort: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const listener = (): void => abort(signal.reason);
  signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}

async function bodyOf(request: Request): Promise<string | Uint8Array | undefined> {
  const content: Content = takeContent(request);
  return content === null ? undefined : contentBytes(content);
}

function decodeResponse(payload: Uint8Array, url: string, makeBody: () => Source | null): Response {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const headBytes = view.getUint32(8, true);
  const head = payload.subarray(RESPONSE_HEADER_BYTES, RESPONSE_HEADER_BYTES + headBytes);
  const [finalUrl = '', statusText = '', ...rows] = strings(head);
  const hasBody = (view.getUint32(4, true) & RESPONSE_MORE) !== 0;
  return makeFetched({
    status: view.getUint32(0, true),
    statusText,
    rows,
    url: finalUrl,
    isRedirected: finalUrl !== url,
    content: hasBody ? makeBody() : null,
  });
}

export async function fetch(
  input: Request | URL | string,
  init: RequestInit = {},
): Promise<Response> {
  requireRequest('fetch');
  const request = new Request(input, init);
  const signal = signalOf(request);
  signal?.throwIfAborted();
  const url = withoutFragment(request.url);
  const head = `${request.method}\0${url}\0${headersToSend(request.headers)}`;
  const body = await bodyOf(request);
  signal?.throwIfAborted();

  const flags = REDIRECT_FLAGS[request.redirect] as number;
  const call = startCall((id) => host.startFetch(id, flags, head, body));
  let remote: RemoteBody | undefined;
  const unfollow = follow(signal, (reason) => {
    if (remote === undefined) abortCall(call.id, reason);
    else remote.abort(reason);
  });
  try {
    const response = decodeResponse(await call.answer, url, () => {
      remote = new RemoteBody(call.id, unfollow);
      return remote;
    });
    if (remote === undefined) unfollow();
    return response;
  } catch (failure) {
    unfollow();
    throw networkError(failure);
  }
}
