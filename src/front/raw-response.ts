/** Responses as text, for where Node makes none: there is a connection, but no request of Node's. */
import { STATUS_CODES } from 'node:http';
import type { HatcheryError } from '../errors.js';
import { nextRequestId } from '../fabric/request-id.js';

/** The whole response of an error, after which the connection ends. @param headers lines of it. */
export function rawResponse(error: HatcheryError, headers: readonly string[] = []): string {
  error.requestId ??= nextRequestId();
  const body = JSON.stringify(error);
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Connection: close',
    ...headers,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${error.requestId}`,
    '',
    body,
  ].join('\r\n');
}
