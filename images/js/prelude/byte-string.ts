/** Checks of the strings that go into an HTTP head (RFC 9110, Fetch: header names and values). */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN_IN_VALUE = /[^\t -~\x80-\xff]/;
const OUTER_WHITESPACE = /^[\t\n\r ]+|[\t\n\r ]+$/g;

/** Lower-case forms of the names that were already checked; a check costs more than a look-up. */
const known = new Map<string, string>();

/** Returns the name in lower case; throws TypeError if it is no header name. */
export function headerName(name: unknown): string {
  const text = typeof name === 'string' ? name : String(name);
  const before = known.get(text);
  if (before !== undefined) return before;
  if (!TOKEN.test(text)) throw new TypeError(`invalid header name: ${JSON.stringify(text)}`);
  const lower = text.toLowerCase();
  known.set(text, lower);
  return lower;
}

/** Returns the value without outer whitespace; throws TypeError if it is no header value. */
export function headerValue(value: unknown): string {
  const text = (typeof value === 'string' ? value : String(value)).replace(OUTER_WHITESPACE, '');
  if (FORBIDDEN_IN_VALUE.test(text)) {
    throw new TypeError(`invalid header value: ${JSON.stringify(text)}`);
  }
  return text;
}

/** Throws TypeError unless the text is a reason phrase. */
export function checkReasonPhrase(text: string): void {
  if (FORBIDDEN_IN_VALUE.test(text)) throw new TypeError('invalid statusText');
}

for (const name of [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Length',
  'Content-Type',
  'Cookie',
  'ETag',
  'Host',
  'If-None-Match',
  'Location',
  'Origin',
  'Set-Cookie',
  'User-Agent',
  'Vary',
]) {
  headerName(name);
  headerName(name.toLowerCase());
}
