/** How the client talks to the API: `fetch`, a token, JSON. */
import { ApiError, type ErrorBody } from './api-error.js';
import { readServerSentEvents } from './server-sent-events.js';

export interface ClientOptions {
  /** Where the control API is. Default: http://127.0.0.1:8081; in a page, where the page is from. */
  readonly server?: string;
  readonly token?: string;
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Ask {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  /** Goes as JSON. */
  readonly body?: unknown;
  /** Go as they are. */
  readonly bytes?: Uint8Array | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  readonly lastEventId?: string | undefined;
}

const DEFAULT_SERVER = 'http://127.0.0.1:8081';

export class Transport {
  /** Where the API is, without a slash at its end. */
  readonly server: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor({ server, token, fetch = globalThis.fetch }: ClientOptions) {
    const page = (globalThis as { location?: { origin?: string } }).location?.origin;
    this.server = (server ?? page ?? DEFAULT_SERVER).replace(/\/+$/, '');
    this.#token = token;
    // Browsers want it called as a function of the window's.
    this.#fetch = (input, init) => fetch(input, init);
  }

  /** @throws ApiError */
  async ask<Result>(path: string, ask: Ask = {}): Promise<Result> {
    const response = await this.#send(path, ask);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as Result;
  }

  /**
   * The data of each event, with its id, until the stream ends.
   * @throws ApiError where it cannot be opened, or breaks off
   */
  async *stream<Data>(
    path: string,
    ask: Ask,
  ): AsyncGenerator<{ readonly id: string; readonly data: Data }> {
    const response = await this.#send(path, ask);
    try {
      for await (const { id, data } of readServerSentEvents(
        response.body as ReadableStream<Uint8Array>,
        ask.signal,
      )) {
        yield { id, data: JSON.parse(data) as Data };
      }
    } catch (cause) {
      if (ask.signal?.aborted !== true) {
        throw this.#unreachable(cause);
      }
    }
  }

  async #send(path: string, ask: Ask) {
    const { method = 'GET', query, body, bytes, signal, lastEventId } = ask;
    const url = new URL(this.server + path);
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) {
        url.searchParams.set(name, String(value));
      }
    }
    const headers: Record<string, string> = {
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    };
    const response = await this.#fetch(url, {
      method,
      headers,
      redirect: 'error',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(bytes === undefined
        ? {}
        : { body: bytes as NonNullable<RequestInit['body']>, duplex: 'half' }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw this.#unreachable(cause);
    });
    if (!response.ok) {
      throw await errorOf(response);
    }
    return response;
  }

  #unreachable(cause: unknown): ApiError {
    const inner = (cause as { cause?: { message?: string } }).cause?.message;
    const why = inner ?? (cause as Error).message;
    const message = `${this.server} does not answer: ${why}. Is \`hatchery up\` running?`;
    return new ApiError(0, { code: 'UNREACHABLE', message }, { cause });
  }
}

/** Proxies answer in their own way. */
async function errorOf(response: Response): Promise<ApiError> {
  const { status } = response;
  const text = await response.text();
  try {
    const body = JSON.parse(text) as Partial<ErrorBody>;
    if (typeof body.code === 'string' && typeof body.message === 'string') {
      return new ApiError(status, body as ErrorBody);
    }
  } catch {
    // Not JSON: what follows says so.
  }
  const message = `An answer with status ${status} came that is none of the control API’s.`;
  return new ApiError(status, { code: 'UNREACHABLE', message });
}
