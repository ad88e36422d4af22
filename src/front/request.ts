/** From an HTTP request of Node's to a request for a function. */
import type { IncomingMessage } from 'node:http';
import { HatcheryError } from '../errors.js';
import { isHopByHop, namedByConnection } from './hop-by-hop.js';

/** What the head of a request says. */
export interface Head {
  readonly url: string;
  /** Name and value in turn, names in lower case, without those that are for this connection only. */
  readonly headers: string[];
  readonly hasBody: boolean;
  /** The client takes trailers. */
  readonly takesTrailers: boolean;
}

/** `uri-host [ ":" port ]` of RFC 9110, without the rare sub-delimiters. */
const HOST = /^(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** @throws HatcheryError INVALID_ARGUMENT when the host or the target is not one */
export function readHead(raw: IncomingMessage): Head {
  const { rawHeaders } = raw;
  const headers: string[] = [];
  let host = 'localhost';
  let hasBody = false;
  let takesTrailers = false;
  let named: ReadonlySet<string> | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = rawHeaders[i + 1] as string;
    if (isHopByHop(name)) {
      if (name === 'transfer-encoding') {
        hasBody = true;
      } else if (name === 'te') {
        takesTrailers ||= raw.httpVersionMinor > 0 && /(?:^|[\s,])trailers\b/i.test(value);
      } else if (name === 'connection') {
        named = namedByConnection(value);
      }
      continue;
    }
    if (name === 'host') {
      host = value;
    } else if (name === 'content-length') {
      hasBody ||= value !== '0';
    }
    headers.push(name, value);
  }
  return {
    url: absoluteUrl(raw.url as string, host),
    headers: named === undefined ? headers : without(headers, named),
    hasBody,
    takesTrailers,
  };
}

/** What a URL parser leaves as it is: no dot segment, nothing to encode, no backslash. */
const NORMAL_TARGET = /^(?!.*\/(?:\.|%2e))[!#-&(-;=?-[\]_a-z~]*$/i;

/** As a `Request` has it, normalised: `/a/../b` is no other path to a function than `/b`. */
function absoluteUrl(target: string, host: string): string {
  if (target.startsWith('/')) {
    const url = originOf(host) + target;
    return NORMAL_TARGET.test(target) ? url : new URL(url).href;
  }
  if (target === '*') {
    return absoluteUrl('/', host);
  }
  if (/^https?:\/\//i.test(target) && URL.canParse(target)) {
    return new URL(target).href;
  }
  throw invalid('The target of the request is not a path');
}

let lastHost = 'localhost';
let lastOrigin = 'http://localhost';

/** The origin that a Host header names; the last one is remembered, as most are the same. */
function originOf(host: string): string {
  if (host !== lastHost) {
    if (!HOST.test(host) || !URL.canParse(`http://${host}`)) {
      throw invalid('The header Host is not a host name');
    }
    lastOrigin = new URL(`http://${host}`).origin;
    lastHost = host;
  }
  return lastOrigin;
}

function without(headers: string[], named: ReadonlySet<string>): string[] {
  return headers.filter((_, index) => !named.has(headers[index & ~1] as string));
}

/**
 * Collects a body.
 * @param limit in bytes.
 * @throws HatcheryError REQUEST_BODY_TOO_LARGE as soon as more has come or is announced; Error
 *   when the client goes away
 */
export async function readBody(raw: IncomingMessage, limit: number): Promise<Buffer> {
  const announced = Number(raw.headers['content-length'] ?? 0);
  if (announced > limit) {
    throw new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit });
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) {
        raw.pause();
        reject(new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit }));
      } else {
        chunks.push(chunk);
      }
    });
    raw.once('end', () => resolve(Buffer.concat(chunks, bytes)));
    raw.once('error', reject);
    raw.once('close', () => reject(invalid('The body of the request is incomplete')));
  });
}

function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem });
}
