import { AbortController, type AbortSignal } from './abort.js';
import {
  Body,
  type BodyInit,
  type Content,
  duplicateContent,
  extractContent,
  setContent,
  takeContent,
} from './body.js';
import { fromRows, Headers, type HeadersInit, parseHead } from './headers.js';
import { Incoming } from './incoming.js';
import { URL } from './url.js';

export interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  signal?: AbortSignal | null;
  redirect?: string;
  keepalive?: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NORMALIZED_METHOD = /^(delete|get|head|options|post|put)$/i;
const FORBIDDEN_METHOD = /^(connect|trace|track)$/i;
const REDIRECTS = ['follow', 'error', 'manual'];

function checkMethod(method: unknown): string {
  const text = String(method);
  if (!TOKEN.test(text) || FORBIDDEN_METHOD.test(text)) {
    throw new TypeError(`invalid request method: ${JSON.stringify(text)}`);
  }
  return NORMALIZED_METHOD.test(text) ? text.toUpperCase() : text;
}

/** The signal that the program gave, or asked for; none is made. */
let signalOf: (request: Request) => AbortSignal | undefined;
let makeIncoming: (method: string, url: string, incoming: Incoming) => Request;

/** The Fetch standard's Request. The host's is made of two strings; the rest comes when asked for. */
export class Request extends Body {
  #method = 'GET';
  #url = '';
  #headers: Headers | undefined;
  /** Where the headers are before they are asked for. */
  #incoming: Incoming | undefined;
  #signal: AbortSignal | undefined;
  #redirect = 'follow';
  #keepalive = false;

  static {
    signalOf = (request) => request.#signal;
    makeIncoming = (method, url, incoming) => {
      const request = new Request(incoming as never);
      request.#method = method;
      request.#url = url;
      request.#incoming = incoming;
      if (method !== 'GET' && method !== 'HEAD') setContent(request, incoming);
      return request;
    };
  }

  constructor(input: Request | URL | string, init: RequestInit = {}) {
    super();
    if ((input as unknown) instanceof Incoming) return;
    let content: Content = null;
    if (input instanceof Request) {
      this.#method = input.#method;
      this.#url = input.#url;
      this.#headers = new Headers(input.headers);
      this.#signal = input.#signal;
      this.#redirect = input.#redirect;
      this.#keepalive = input.#keepalive;
      if (init?.body == null) content = takeContent(input);
    } else {
      const url = new URL(String(input));
      if (url.username !== '' || url.password !== '') {
        throw new TypeError('Request: the URL has a user name or a password');
      }
      this.#url = url.href;
    }
    this.#apply(init ?? {}, content);
  }

  #apply(init: RequestInit, inherited: Content): void {
    let content = inherited;
    if (init.method !== undefined) this.#method = checkMethod(init.method);
    if (init.headers !== undefined) this.#headers = new Headers(init.headers);
    if (init.redirect !== undefined) {
      if (!REDIRECTS.includes(String(init.redirect))) throw new TypeError('invalid redirect mode');
      this.#redirect = String(init.redirect);
    }
    if (init.keepalive !== undefined) this.#keepalive = Boolean(init.keepalive);
    if (init.signal !== undefined) this.#signal = init.signal ?? undefined;
    if (init.body != null) {
      const extracted = extractContent(init.body);
      content = extracted.content;
      if (extracted.type !== undefined && !this.headers.has('content-type')) {
        this.headers.append('content-type', extracted.type);
      }
    }
    if (content !== null && (this.#method === 'GET' || this.#method === 'HEAD')) {
      throw new TypeError('a GET or HEAD request has no body');
    }
    setContent(this, content);
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    if (this.#headers === undefined) {
      const incoming = this.#incoming;
      this.#headers = incoming === undefined ? new Headers() : fromRows(parseHead(incoming.head()));
    }
    return this.#headers;
  }

  get signal(): AbortSignal {
    this.#signal ??= new AbortController().signal;
    return this.#signal;
  }

  get redirect(): string {
    return this.#redirect;
  }

  get keepalive(): boolean {
    return this.#keepalive;
  }

  get duplex(): string {
    return 'half';
  }

  clone(): Request {
    const content = duplicateContent(this);
    const copy = new Request(this.#url);
    copy.#method = this.#method;
    copy.#headers = new Headers(this.headers);
    copy.#signal = this.#signal;
    copy.#redirect = this.#redirect;
    copy.#keepalive = this.#keepalive;
    setContent(copy, content);
    return copy;
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }
}

export { makeIncoming, signalOf };
