/**
 * Runs the prelude's own paths once, before the snapshot, so that the atoms, shapes and memory that
 * a request needs are there. The user's handler runs only where the configuration asks for it.
 */

import { Incoming } from './incoming.js';
import { makeIncoming, type Request } from './request.js';
import { Response } from './response.js';
import { URL } from './url.js';

const HEAD = 'host\0localhost\0accept\0*/*\0user-agent\0hatchery\0content-type\0text/plain\0';

function request(): Request {
  return makeIncoming('GET', 'http://localhost/path?name=value', new Incoming(HEAD));
}

/** Throws what the handler throws; its response is dropped. */
export function warmUp(handle?: (request: Request) => unknown): void {
  const incoming = request();
  new URL(incoming.url).searchParams.get('name');
  incoming.headers.get('accept');
  void incoming.signal;
  void new Response('text', { headers: { 'content-type': 'text/plain' } }).headers;
  Response.json({ text: 'text' });
  handle?.(request());
}
