/** The head of a request: what of it goes to a function, and what is for this server. */
import type { IncomingMessage } from 'node:http';
import { HatcheryError } from '../errors.js';
import { isHopByHop, namedByConnection, without } from '../hop-by-hop.js';
import { invalid, parseAbsolute, type Scheme, urlOf } from './target.js';
import { parseTraceparent } from './trace-context.js';

export interface Head {
  readonly url: string;
  /** Name and value in turn, names in lower case, without those that are for this connection only. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** Bytes of the body, where the client says how many. */
  readonly contentLength: number | undefined;
  /** The client takes trailers. */
  readonly takesTrailers: boolean;
}

/** Who sent it: an address, and whether it may say where the request came from. */
export interface Peer {
  readonly address: string;
  readonly isTrusted: boolean;
}

/** Headers by which a proxy tells of a client; without a trusted proxy, the client's own tale. */
const TALES = new Set(['forwarded', 'x-real-ip']);
const FORWARDED = 'x-forwarded-';
/** Headers by which this server itself tells a function something: of nobody else they are taken. */
export const OWN_HEADERS = 'x-hatchery-';

/** Headers that are looked at: `undefined` for all others, which most are. */
const LOOKED_AT = new Set(['host', 'content-length', 'traceparent', ...TALES]);

/**
 * @param maxHeaders lines that the head may have.
 * @throws HatcheryError INVALID_ARGUMENT, REQUEST_HEAD_TOO_LARGE, WEBSOCKET_UNSUPPORTED
 */
export function readHead(raw: IncomingMessage, peer: Peer, maxHeaders: number): Head {
  const { rawHeaders } = raw;
  if (rawHeaders.length > 2 * maxHeaders) {
    throw new HatcheryError('REQUEST_HEAD_TOO_LARGE', { limit: maxHeaders, unit: 'headers' });
  }
  const reader = new HeadReader(raw, peer);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    reader.take((rawHeaders[i] as string).toLowerCase(), rawHeaders[i + 1] as string);
  }
  return reader.head();
}

class HeadReader {
  readonly #raw: IncomingMessage;
  readonly #peer: Peer;
  readonly #isOld: boolean;
  /** The host's value is known last. */
  #headers: string[] = ['host', ''];
  #host: string | undefined;
  #contentLength: number | undefined;
  #isChunked = false;
  #takesTrailers = false;
  #traceparents = 0;
  #isTraceValid = true;
  #named: ReadonlySet<string> | undefined;
  /** Of a trusted peer. */
  readonly #forwarded = { for: '', proto: '', host: '' };

  constructor(raw: IncomingMessage, peer: Peer) {
    if (raw.httpVersionMajor !== 1) {
      throw invalid('The request is not one of HTTP/1.1');
    }
    this.#raw = raw;
    this.#peer = peer;
    this.#isOld = raw.httpVersionMinor === 0;
  }

  /** @param name in lower case. */
  take(name: string, value: string): void {
    if (isHopByHop(name)) {
      this.#takeHopByHop(name, value);
    } else if (LOOKED_AT.has(name)) {
      this.#look(name, value);
    } else if (name.startsWith(FORWARDED)) {
      this.#takeForwarded(name, value);
    } else if (!name.startsWith(OWN_HEADERS)) {
      this.#headers.push(name, value);
    }
  }

  #takeHopByHop(name: string, value: string): void {
    switch (name) {
      case 'transfer-encoding':
        // Of HTTP/1.0, twice, or another one: where a body ends would be a matter of opinion.
        if (this.#isOld || this.#isChunked || value.toLowerCase() !== 'chunked') {
          throw invalid('The only Transfer-Encoding of a request can be chunked');
        }
        this.#isChunked = true;
        break;
      case 'te':
        this.#takesTrailers ||= !this.#isOld && /(?:^|[\s,])trailers\b/i.test(value);
        break;
      case 'connection':
        this.#nameFrom(value);
        break;
      case 'upgrade':
        if (/\bwebsocket\b/i.test(value)) {
          throw new HatcheryError('WEBSOCKET_UNSUPPORTED');
        }
    }
  }

  #nameFrom(value: string): void {
    const named = namedByConnection(value);
    if (named !== undefined) {
      this.#named = new Set([...(this.#named ?? []), ...named]);
    }
  }

  #look(name: string, value: string): void {
    switch (name) {
      case 'host':
        if (this.#host !== undefined) {
          throw invalid('The request has two headers Host');
        }
        this.#host = value;
        return;
      case 'content-length':
        this.#contentLength = Number(value);
        break;
      case 'traceparent':
        this.#traceparents += 1;
        this.#isTraceValid &&= this.#traceparents === 1 && parseTraceparent(value) !== undefined;
        break;
      default:
        if (!this.#peer.isTrusted) {
          return;
        }
    }
    this.#headers.push(name, value);
  }

  #takeForwarded(name: string, value: string): void {
    if (!this.#peer.isTrusted) {
      return;
    }
    switch (name) {
      case 'x-forwarded-for':
        this.#forwarded.for += `${value}, `;
        return;
      case 'x-forwarded-proto':
        this.#forwarded.proto = value;
        return;
      case 'x-forwarded-host':
        this.#forwarded.host = value;
        return;
      default:
        this.#headers.push(name, value);
    }
  }

  head(): Head {
    if (this.#host === undefined && !this.#isOld) {
      throw invalid('The request has no header Host');
    }
    const target = this.#raw.url as string;
    const absolute = parseAbsolute(target);
    // The target's host counts more than the header; without either, one has to be made up.
    const host = absolute?.host ?? this.#host ?? 'localhost';
    const scheme = this.#scheme(absolute);
    this.#headers = this.#cleaned();
    this.#headers[1] = host;
    this.#headers.push(
      'x-forwarded-for',
      this.#forwarded.for + this.#peer.address,
      'x-forwarded-proto',
      this.#forwarded.proto || scheme,
      'x-forwarded-host',
      this.#forwarded.host || host,
    );
    const path = absolute === undefined ? target : absolute.href.slice(absolute.origin.length);
    return {
      url: urlOf(scheme, lastOf(this.#forwarded.host) || host, path === '*' ? '/' : path),
      headers: this.#headers,
      hasBody: this.#isChunked || (this.#contentLength ?? 0) > 0,
      contentLength: this.#contentLength,
      takesTrailers: this.#takesTrailers,
    };
  }

  /** Only a trusted proxy can know of TLS, as this server speaks none. */
  #scheme(absolute: URL | undefined): Scheme {
    const { proto } = this.#forwarded;
    const given = lastOf(proto).toLowerCase() || absolute?.protocol.slice(0, -1) || 'http';
    if (given !== 'http' && (given !== 'https' || !this.#peer.isTrusted)) {
      throw invalid('The scheme of the request is not http');
    }
    return given;
  }

  #cleaned(): string[] {
    let headers = this.#headers;
    if (this.#named !== undefined) {
      headers = without(headers, this.#named);
    }
    if (this.#traceparents > 0 && !this.#isTraceValid) {
      headers = without(headers, TRACE);
    }
    return headers;
  }
}

const TRACE = new Set(['traceparent', 'tracestate']);

/** Of a list, what the proxy next to this server added. */
function lastOf(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1).trim();
}
