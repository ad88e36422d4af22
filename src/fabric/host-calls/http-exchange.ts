/**
 * One HTTP request and its response, over a pool of undici's.
 *
 * It is `dispatch` with a handler of our own: `request` does not give the reason phrase, and `fetch`
 * sends headers of its own and follows rules that only hold in a browser. With `dispatch` all that
 * goes out is what is written here.
 */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Lease } from './connections.js';
import type { FetchRequest } from './fetch-request.js';
import { readHeaders } from './fetch-response.js';

export interface HttpResponse {
  readonly status: number;
  readonly reason: string;
  /** Name and value in turn, names in lower case, ISO 8859-1. All of them. */
  readonly headers: readonly string[];
  /** As it came. To be read to its end, or destroyed, which closes the connection. */
  readonly body: Readable;
}

/** How much of a body is held that the guest has not read. */
const BUFFERED_BYTES = 64 * 1024;

/**
 * Sends a request.
 * @param signal ends the exchange, its body included, which then breaks off with the reason.
 * @throws the signal's reason, or undici's error
 */
export function exchange(
  lease: Lease,
  request: Pick<FetchRequest, 'method' | 'url' | 'headers' | 'body'>,
  signal: AbortSignal,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    // It may have been while the request stood in line; the signal would not say so again.
    if (signal.aborted) {
      lease.release();
      reject(signal.reason);
      return;
    }
    const handler = new Handler(lease, signal, resolve, reject);
    const { method, url, headers, body } = request;
    lease.pool.dispatch(
      {
        path: `${url.pathname}${url.search}`,
        method: method as Dispatcher.HttpMethod,
        headers: [...headers],
        body: body === undefined ? null : Buffer.from(body.buffer, body.byteOffset, body.length),
      },
      handler,
    );
  });
}

class Handler implements Dispatcher.DispatchHandlers {
  readonly #lease: Lease;
  readonly #signal: AbortSignal;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #onSignal = () => {
    if (this.#body === undefined) {
      this.#end(this.#signal.reason);
    } else {
      this.#body.destroy(this.#signal.reason);
    }
  };
  #abort: ((error?: Error) => void) | undefined;
  #body: Readable | undefined;
  /** Why it was ended by us. */
  #ended: { readonly why: unknown } | undefined;

  constructor(
    lease: Lease,
    signal: AbortSignal,
    resolve: (response: HttpResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#lease = lease;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this.#onSignal, { once: true });
  }

  /**
   * Closes the connection; where it is still being made, as soon as it is there. undici then opens it
   * anew before it forgets the request, so that it is one of the idle ones.
   */
  #end(why: unknown): void {
    this.#ended ??= { why };
    this.#reject(why);
    this.#abort?.();
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#ended !== undefined) {
      abort();
    }
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, reason: string): boolean {
    if (status < 200) {
      return true;
    }
    const body = new Readable({
      highWaterMark: BUFFERED_BYTES,
      read: resume,
      destroy: (error, callback) => {
        this.#end(error);
        callback(error);
      },
    });
    // It may break off while nobody reads it; who reads it next is told.
    body.on('error', () => {});
    this.#body = body;
    this.#resolve({ status, reason, headers: readHeaders(raw), body });
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.#body?.push(chunk) ?? false;
  }

  onComplete(): void {
    this.#body?.push(null);
    this.#finish();
  }

  onError(error: Error): void {
    this.#finish();
    this.#reject(this.#ended === undefined ? error : this.#ended.why);
    this.#body?.destroy(error);
  }

  #finish(): void {
    this.#abort = undefined;
    this.#signal.removeEventListener('abort', this.#onSignal);
    this.#lease.release();
  }
}
