/** Redirects, as Fetch's "HTTP-redirect fetch" has them. */
import type { Readable } from 'node:stream';
import { without } from '../../hop-by-hop.js';
import { type FetchRequest, failed, parseTarget } from './fetch-request.js';
import { headerValue } from './fetch-response.js';
import type { HttpResponse } from './http-exchange.js';

/** Fetch, "redirect status". */
const REDIRECT_STATUS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Fetch, "request-body-header name". */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
]);
/** What another origin is not to get. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie']);

/** How much of a body that nobody wants is read, and for how long, to keep its connection. */
const DISCARDED_BYTES = 64 * 1024;
const DISCARDING_MILLISECONDS = 500;

/** Whether the response leads elsewhere. */
export function isRedirect({ status, headers }: HttpResponse): boolean {
  return REDIRECT_STATUS.has(status) && headerValue(headers, 'location') !== undefined;
}

/**
 * The request that follows a redirect.
 * @throws HatcheryError FETCH_FAILED where it leads to nothing that can be fetched
 */
export function redirected(request: FetchRequest, { status, headers }: HttpResponse): FetchRequest {
  const url = locate(request.url, headers);
  const dropBody =
    (status === 303 && request.method !== 'GET' && request.method !== 'HEAD') ||
    ((status === 301 || status === 302) && request.method === 'POST');
  const next = dropBody
    ? {
        ...request,
        method: 'GET',
        body: undefined,
        headers: without(request.headers, OF_THE_BODY),
      }
    : request;
  return url.origin === request.url.origin
    ? { ...next, url }
    : { ...next, url, headers: without(next.headers, CREDENTIALS) };
}

function locate(from: URL, headers: readonly string[]): URL {
  const locations = headers.filter(
    (_, index) => index % 2 === 1 && headers[index - 1] === 'location',
  );
  const [location = ''] = locations;
  if (locations.length !== 1) {
    throw failed(from.host, 'it redirects to several URLs');
  }
  // Servers send UTF-8 where there should be escapes; URL escapes it.
  const url = parseTarget(Buffer.from(location, 'latin1').toString('utf8'), from);
  if (url.hash === '') {
    url.hash = from.hash;
  }
  return url;
}

/** Ends a response that nobody reads; its connection is kept where that is cheap. */
export function discardBody(body: Readable): void {
  let left = DISCARDED_BYTES;
  const timer = setTimeout(() => body.destroy(), DISCARDING_MILLISECONDS);
  timer.unref();
  body.once('close', () => clearTimeout(timer));
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) {
      body.destroy();
    }
  });
}
