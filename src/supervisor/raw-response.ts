/** Responses that the supervisor gives itself, where no worker can. */
import { STATUS_CODES } from 'node:http';
import { HatcheryError } from '../errors.js';
import { nextRequestId } from '../fabric/request-id.js';

const RETRY_SECONDS = 1;

/** For a request whose worker died before it answered anything. */
export function workerDiedResponse(): string {
  return rawResponse(new HatcheryError('WORKER_DIED'), []);
}

/** For a connection that comes when the last worker is done. */
export function drainingResponse(): string {
  const error = new HatcheryError('DRAINING', { retryAfter: RETRY_SECONDS });
  return rawResponse(error, [`Retry-After: ${RETRY_SECONDS}`]);
}

function rawResponse(error: HatcheryError, headers: readonly string[]): string {
  error.requestId ??= nextRequestId();
  const body = JSON.stringify(error);
  return [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${error.requestId}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}
