import {
  Body,
  type BodyInit,
  duplicateContent,
  extractContent,
  setContent,
  takeContent,
} from './body.js';
import { checkReasonPhrase } from './byte-string.js';
import {
  fromRows,
  Headers,
  type HeadersInit,
  headOf,
  makeImmutable,
  parseHead,
} from './headers.js';
import { host, RESPONSE_HEAD_CAPACITY, RESPONSE_STREAM } from './host.js';
import { onceBeforeTurn } from './loop.js';
import { Source } from './source.js';
import { ReadableStream } from './streams.js';
import { URL } from './url.js';

export interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}

const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const BODYLESS_STATUSES = [204, 205, 304];
const JSON_HEAD = 'content-type\0application/json\0';
const TEXT_HEAD = 'content-type\0text/plain;charset=UTF-8\0';

/** What a fetch was answered with. */
interface Fetched {
  readonly status: number;
  readonly statusText: string;
  /** Name and value of each header in turn. */
  readonly rows: string[];
  readonly url: string;
  readonly isRedirected: boolean;
  readonly content: Source | null;
}

/** Where responses come from; those of the program are not in it, which are to be made fast. */
const origins = new WeakMap<Response, Pick<Fetched, 'url' | 'isRedirected'>>();

let makeFetched: (fetched: Fetched) => Response;
let sendResponse: (response: Response, flags: number) => Promise<void> | undefined;

/** The Fetch standard's Response. Its headers stay text until the program asks for them. */
export class Response extends Body {
  #status = 200;
  #statusText = '';
  #type = 'default';
  #head = '';
  #headers: Headers | undefined;

  static {
    sendResponse = (response, flags) => response.#send(flags);
    makeFetched = ({ status, statusText, rows, url, isRedirected, content }) => {
      const response = new Response();
      response.#status = status;
      response.#statusText = statusText;
      response.#type = 'basic';
      origins.set(response, { url, isRedirected });
      response.#headers = makeImmutable(fromRows(rows));
      setContent(response, content);
      return response;
    };
  }

  constructor(body: BodyInit | null = null, init?: ResponseInit) {
    super();
    if (init !== undefined && init !== null) this.#apply(init);
    if (body === null) return;
    if (BODYLESS_STATUSES.includes(this.#status)) {
      throw new TypeError(`a response of status ${this.#status} has no body`);
    }
    if (typeof body === 'string' && this.#headers === undefined) {
      this.#head = TEXT_HEAD;
      setContent(this, body);
      return;
    }
    const { content, type } = extractContent(body);
    if (type !== undefined && !this.headers.has('content-type')) {
      this.headers.append('content-type', type);
    }
    setContent(this, content);
  }

  #apply(init: ResponseInit): void {
    if (init.status !== undefined) {
      const status = Number(init.status) | 0;
      if (status < 200 || status > 599) {
        throw new RangeError(`invalid response status: ${init.status}`);
      }
      this.#status = status;
    }
    if (init.statusText !== undefined) {
      const text = String(init.statusText);
      checkReasonPhrase(text);
      this.#statusText = text;
    }
    if (init.headers !== undefined) this.#headers = new Headers(init.headers);
  }

  static error(): Response {
    const response = new Response();
    response.#status = 0;
    response.#type = 'error';
    makeImmutable(response.headers);
    return response;
  }

  static redirect(url: string | URL, status = 302): Response {
    const { href } = new URL(String(url));
    if (!REDIRECT_STATUSES.includes(status)) {
      throw new RangeError(`invalid redirect status: ${status}`);
    }
    const response = new Response(null, { status, headers: { location: href } });
    makeImmutable(response.headers);
    return response;
  }

  static json(data: unknown, init?: ResponseInit): Response {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError('Response.json: the value has no JSON');
    const response = new Response(null, init);
    if (BODYLESS_STATUSES.includes(response.#status)) {
      throw new TypeError(`a response of status ${response.#status} has no body`);
    }
    if (response.#headers === undefined) response.#head = JSON_HEAD;
    else if (!response.#headers.has('content-type')) {
      response.#headers.append('content-type', 'application/json');
    }
    setContent(response, text);
    return response;
  }

  get type(): string {
    return this.#type;
  }

  get url(): string {
    return origins.get(this)?.url ?? '';
  }

  get redirected(): boolean {
    return origins.get(this)?.isRedirected ?? false;
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    if (this.#headers === undefined) this.#headers = fromRows(parseHead(this.#head));
    return this.#headers;
  }

  clone(): Response {
    const content = duplicateContent(this);
    const copy = new Response();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#type = this.#type;
    const origin = origins.get(this);
    if (origin !== undefined) origins.set(copy, origin);
    copy.#headers = new Headers(this.headers);
    setContent(copy, content);
    return copy;
  }

  /** Sends the response; a stream chunk by chunk, until the promise that is returned settles. */
  #send(flags: number): Promise<void> | undefined {
    if (this.#type === 'error') throw new TypeError('the handler returned Response.error()');
    const head = this.#headers === undefined ? this.#head : headOf(this.#headers);
    if (head.length > RESPONSE_HEAD_CAPACITY) {
      throw new RangeError(`the response's headers exceed ${RESPONSE_HEAD_CAPACITY} bytes`);
    }
    const content = takeContent(this);
    if (content instanceof ReadableStream) return this.#pump(readerOf(content), head, flags);
    if (content instanceof Source && !content.isWhole()) {
      return this.#pump(async () => content.chunk(), head, flags);
    }
    const body = content instanceof Source ? (content.bytes() as Uint8Array) : content;
    host.respond(this.#status, head, body ?? undefined, flags);
    return undefined;
  }

  /** The head goes out with the first chunk, or without it if that takes more than jobs. */
  async #pump(
    next: () => Promise<Uint8Array | undefined>,
    head: string,
    flags: number,
  ): Promise<void> {
    let isBegun = false;
    const begin = (chunk: Uint8Array | undefined): void => {
      isBegun = true;
      host.begin(this.#status, head, chunk, flags | RESPONSE_STREAM);
    };
    onceBeforeTurn(() => begin(undefined));
    const first = await next().finally(() => onceBeforeTurn(undefined));
    if (first === undefined && !isBegun) {
      host.respond(this.#status, head, undefined, flags);
      return;
    }
    if (!isBegun) begin(first);
    else if (first !== undefined) host.push(first);
    for (let chunk = first; chunk !== undefined; ) {
      chunk = await next();
      if (chunk !== undefined) host.push(chunk);
    }
    host.end();
  }

  get [Symbol.toStringTag](): string {
    return 'Response';
  }
}

/** Reads the chunks of a body, which the standard allows to be nothing but bytes. */
function readerOf(stream: ReadableStream): () => Promise<Uint8Array | undefined> {
  const reader = stream.getReader();
  return async () => {
    const { done, value } = await reader.read();
    if (!done && !(value instanceof Uint8Array)) {
      throw new TypeError('a chunk of the response body is no Uint8Array');
    }
    return value;
  };
}

export { makeFetched, sendResponse };
