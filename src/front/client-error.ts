/** Answers what Node's parser refuses: there is no request then, only a connection. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, HatcheryError } from '../errors.js';
import { nextRequestId } from '../fabric/request-id.js';

/** Node's codes; all others are about what was sent. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'REQUEST_HEAD_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/**
 * Sends an error as JSON, as far as the client still listens, and closes the connection.
 * @param limit largest head that the parser takes, in bytes
 */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  limit: number,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = CODES[error.code ?? ''] ?? 'INVALID_ARGUMENT';
  const details =
    code === 'INVALID_ARGUMENT' ? { problem: 'This is not a request of HTTP/1.1' } : { limit };
  const known = new HatcheryError(code, details, { requestId: nextRequestId() });
  const body = JSON.stringify(known);
  socket.end(
    [
      `HTTP/1.1 ${known.status} ${STATUS_CODES[known.status]}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${known.requestId}`,
      '',
      body,
    ].join('\r\n'),
  );
}
