import { AbortController, type AbortSignal } from './abort.js';
import {
  Body,
  type BodyInit,
  type Content,
  duplicateContent,
  extractContent,
  INCOMING,
  setContent,
  takeContent,
} from './body.js';
import { fromRows, Headers, type HeadersInit, parseHead } from './headers.js';
import { host } from './host.js';
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

let fromHost: (method: string, url: string, readHead: () => string) => Request;

/** The Fetch standard's Request. The host's is made of two strings; the rest comes when asked for. */
export class Request extends Body {
  #method = 'GET';
  #url = '';
  #headers: Headers | undefined;
  #readHead: (() => string) | undefined;
  #signal: AbortSignal | undefined;
  #redirect = 'follow';
  #keepalive = false;

  static {
    fromHost = (method, url, readHead) => {
      const request = new Request(INCOMING as never);
      request.#method = method;
      request.#url = url;
      request.#readHead = readHead;
      if (method !== 'GET' && method !== 'HEAD') setContent(request, INCOMING);
      return request;
    };
  }

  constructor(input: Request | URL | string, init: RequestInit = {}) {
    super();
    if ((input as unknown) === INCOMING) return;
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
      this.#headers =
        this.#readHead === undefined ? new Headers() : fromRows(parseHead(this.#readHead()));
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
    const copy = new Request(INCOMING as never);
    const content = duplicateContent(this);
    copy.#method = this.#method;
    copy.#url = this.#url;
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

export { fromHost };

const readHead = (): string => host.headers();

/** The request that the host holds. */
export function incomingRequest(method: string, url: string): Request {
  return fromHost(method, url, readHead);
}
