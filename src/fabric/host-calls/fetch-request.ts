/** What a guest asks to be fetched: decoded from its payload, and checked before anything is done. */
import { quote, REQUEST_HEADER_BYTES, TOKEN } from '../../channel.js';
import { HatcheryError } from '../../errors.js';
import { FORBIDDEN_METHODS } from '../message.js';

/** HATCHERY_FETCH_FOLLOW, _ERROR, _MANUAL. */
const REDIRECT_MODES = ['follow', 'error', 'manual'] as const;
export type RedirectMode = (typeof REDIRECT_MODES)[number];

export interface FetchRequest {
  /** A token; upper case where it is one of those that Fetch writes so. */
  readonly method: string;
  /** http or https, without credentials. */
  readonly url: URL;
  /** Name and value in turn, names in lower case, ISO 8859-1. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  readonly redirect: RedirectMode;
}

/** `field-value` of RFC 9110, section 5.5, without white space around it. */
const FIELD_VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Fetch, "normalize a method". */
const NORMALISED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
const BODILESS_METHODS = new Set(['GET', 'HEAD']);

/** What says how a message is framed or routed, and what is for one connection: all the host's. */
const HOST_OWNED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const HOST_OWNED_PREFIX = 'proxy-';

/**
 * Reads the payload of a FETCH. The body is a view of it.
 * @throws HatcheryError FETCH_FAILED
 */
export function decodeFetch(payload: Uint8Array): FetchRequest {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < REQUEST_HEADER_BYTES) {
    throw malformed(`its frame has ${bytes.length} bytes`);
  }
  const headBytes = bytes.readUInt32LE(0);
  const bodyBytes = bytes.readUInt32LE(4);
  const redirect = REDIRECT_MODES[bytes.readUInt32LE(8)];
  // Both are below 2^32, so the sum is exact.
  if (REQUEST_HEADER_BYTES + headBytes + bodyBytes !== bytes.length) {
    throw malformed('its lengths are not those of its frame');
  }
  if (redirect === undefined || bytes.readUInt32LE(12) !== 0) {
    throw malformed('its flags are unknown');
  }
  const headEnd = REQUEST_HEADER_BYTES + headBytes;
  const [method, url, ...headers] = splitHead(
    bytes.toString('latin1', REQUEST_HEADER_BYTES, headEnd),
  );
  if (method === undefined || url === undefined || headers.length % 2 !== 0) {
    throw malformed('its head lacks a string');
  }
  const body = bodyBytes === 0 ? undefined : bytes.subarray(headEnd);
  return checkRequest({ method, url, headers, body, redirect });
}

/** The strings of a head, each with a NUL behind it. */
function splitHead(head: string): string[] {
  if (head !== '' && !head.endsWith('\0')) {
    throw malformed('its head has no end');
  }
  return head === '' ? [] : head.slice(0, -1).split('\0');
}

function checkRequest(request: Omit<FetchRequest, 'url'> & { readonly url: string }): FetchRequest {
  const url = parseTarget(request.url);
  const target = url.host;
  const method = checkMethod(request.method, target);
  if (BODILESS_METHODS.has(method) && request.body !== undefined) {
    throw failed(target, `${method} takes no body`);
  }
  return { ...request, url, method, headers: checkHeaders(request.headers, target) };
}

/**
 * A URL that may be fetched, if its host may.
 * @param base for a relative one, which only a redirect may give.
 * @throws HatcheryError FETCH_FAILED
 */
export function parseTarget(text: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw failed(
      base?.host ?? 'that URL',
      base ? 'it redirects to an invalid URL' : 'it is invalid',
    );
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw failed(url.host || url.protocol, 'only http: and https: can be fetched');
  }
  if (url.username !== '' || url.password !== '') {
    throw failed(url.host, 'its URL holds credentials; set the Authorization header');
  }
  return url;
}

function checkMethod(method: string, target: string): string {
  const upper = method.toUpperCase();
  if (!TOKEN.test(method) || FORBIDDEN_METHODS.has(upper)) {
    throw failed(target, `${quote(method)} is not a method for fetch`);
  }
  return NORMALISED.has(upper) ? upper : method;
}

function checkHeaders(headers: readonly string[], target: string): string[] {
  return headers.map((part, index) => {
    if (index % 2 === 1) {
      if (!FIELD_VALUE.test(part)) {
        throw failed(
          target,
          `the value of the header ${quote(headers[index - 1] ?? '')} is invalid`,
        );
      }
      return part;
    }
    const name = part.toLowerCase();
    if (!TOKEN.test(name)) {
      throw failed(target, `${quote(part)} is not a header name`);
    }
    if (HOST_OWNED.has(name) || name.startsWith(HOST_OWNED_PREFIX)) {
      throw failed(target, `the header ${quote(part)} is not the function's to set`);
    }
    return name;
  });
}

function malformed(reason: string): HatcheryError {
  return failed('a malformed request', reason);
}

/** @param target a host, or what else there is to say where. */
export function failed(target: string, reason: string, cause?: unknown): HatcheryError {
  return new HatcheryError('FETCH_FAILED', { target, reason }, { cause });
}
