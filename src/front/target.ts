/** The URL of a request: from its target, and from who it was sent to. */
import { HatcheryError } from '../errors.js';

export type Scheme = 'http' | 'https';

/** `uri-host [ ":" port ]` of RFC 9110, without the rare sub-delimiters. */
const HOST = /^(?:[A-Za-z0-9._~%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;

/** What a URL parser leaves as it is: no dot segment, nothing to encode, no backslash. */
const NORMAL_PATH = /^(?!.*\/(?:\.|%2e))[!#-&(-;=?-[\]_a-z~]*$/i;

/**
 * A target in absolute form names the host by itself: RFC 9112, section 3.2.2.
 * @returns `undefined` for the other forms
 * @throws HatcheryError INVALID_ARGUMENT
 */
export function parseAbsolute(target: string): URL | undefined {
  if (target.startsWith('/') || target === '*') {
    return undefined;
  }
  const url = /^https?:\/\//i.test(target) && URL.canParse(target) ? new URL(target) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') {
    throw invalid('The target of the request is not a path');
  }
  return url;
}

/**
 * As a `Request` has it, normalised: `/a/../b` is no other path to a function than `/b`.
 * @param path begins with a slash.
 * @throws HatcheryError INVALID_ARGUMENT when the host is none
 */
export function urlOf(scheme: Scheme, host: string, path: string): string {
  const url = originOf(scheme, host) + path;
  return NORMAL_PATH.test(path) ? url : new URL(url).href;
}

let lastScheme: Scheme = 'http';
let lastHost = 'localhost';
let lastOrigin = 'http://localhost';

/** The last one is remembered, as most are the same. */
function originOf(scheme: Scheme, host: string): string {
  if (host !== lastHost || scheme !== lastScheme) {
    const url = `${scheme}://${host}`;
    if (!HOST.test(host) || !URL.canParse(url)) {
      throw invalid('The header Host is not a host name');
    }
    lastOrigin = new URL(url).origin;
    lastHost = host;
    lastScheme = scheme;
  }
  return lastOrigin;
}

/** A request that HTTP does not allow. */
export function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem });
}
