/** What a guest gets of a response: its head, checked and encoded. */
import { FIELD_VALUE, RESPONSE_HEADER_BYTES, RESPONSE_MORE, TOKEN } from '../../channel.js';
import { isHopByHop, namedByConnection, without } from '../../hop-by-hop.js';
import { failed } from './fetch-request.js';

/** What Fetch lets a Response have. */
const STATUS = { min: 200, max: 599 } as const;

export interface ResponseHead {
  /** Of the last hop. */
  readonly url: URL;
  readonly status: number;
  readonly reason: string;
  /** Name and value in turn, names in lower case, ISO 8859-1. */
  readonly headers: readonly string[];
}

/** Name and value in turn, names in lower case, of undici's raw headers. */
export function readHeaders(raw: readonly (Buffer | string)[]): string[] {
  return raw.map((part, index) => {
    const text = typeof part === 'string' ? part : part.toString('latin1');
    return index % 2 === 0 ? text.toLowerCase() : text;
  });
}

/** The value of a header, of several lines the list; `undefined` where there is none. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  const values = headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === name);
  return values.length === 0 ? undefined : values.join(', ');
}

/** Without what is for one connection, and what `Connection` names besides. */
export function endToEnd(headers: readonly string[]): string[] {
  const kept = headers.filter((_, index) => !isHopByHop(headers[index & ~1] as string));
  const named = namedByConnection(headerValue(headers, 'connection') ?? 'close');
  return named === undefined ? kept : without(kept, named);
}

/**
 * The payload of a FETCH's completion.
 * @throws HatcheryError FETCH_FAILED for what a Response cannot have
 */
export function encodeHead({ url, status, reason, headers }: ResponseHead, more: boolean): Buffer {
  if (status < STATUS.min || status > STATUS.max) {
    throw failed(url.host, `it answered with the status ${status}`);
  }
  if (!headers.every((part, index) => (index % 2 === 0 ? TOKEN : FIELD_VALUE).test(part))) {
    throw failed(url.host, 'it answered with a malformed header');
  }
  const withoutFragment = new URL(url);
  withoutFragment.hash = '';
  const strings = [
    withoutFragment.href,
    // Nothing depends on it, so it is not worth an error.
    FIELD_VALUE.test(reason) ? reason : '',
    ...headers,
  ];
  const head = Buffer.from(strings.map((text) => `${text}\0`).join(''), 'latin1');
  const payload = Buffer.alloc(RESPONSE_HEADER_BYTES + head.length);
  payload.writeUInt32LE(status, 0);
  payload.writeUInt32LE(more ? RESPONSE_MORE : 0, 4);
  payload.writeUInt32LE(head.length, 8);
  head.copy(payload, RESPONSE_HEADER_BYTES);
  return payload;
}
