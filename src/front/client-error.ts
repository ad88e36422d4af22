/** What Node's parser refuses: there is no request then, only a connection. */
import type { Duplex } from 'node:stream';
import { HatcheryError } from '../errors.js';
import type { Connection } from './connection.js';
import { ALLOW, isForbidden } from './response.js';

/** Longer than any that is registered. */
const LONGEST_METHOD = 32;

/** An error that a server emits as `clientError`. */
export interface ClientError extends Error {
  readonly code?: string | undefined;
  /** What was read when the parser failed. */
  readonly rawPacket?: unknown;
}

/**
 * Answers what is no request of HTTP/1.1, as JSON, as far as the client still listens.
 * @param limit largest head that the parser takes, in bytes.
 */
export function answerClientError(
  error: ClientError,
  socket: Duplex,
  connection: Connection,
  limit: number,
): void {
  const { code = '' } = error;
  if (code === 'HPE_CLOSED_CONNECTION') {
    // What a client sends after its own `Connection: close` is nobody's.
    return;
  }
  if (!code.startsWith('HPE_') && code !== 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.destroy();
    return;
  }
  const known = errorOf(code, error, limit);
  connection.refuse(known, known.code === 'METHOD_NOT_ALLOWED' ? [`Allow: ${ALLOW}`] : []);
}

function errorOf(code: string, { rawPacket }: ClientError, limit: number): HatcheryError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HatcheryError('REQUEST_HEAD_TOO_LARGE', { limit, unit: 'bytes' });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HatcheryError('REQUEST_TIMEOUT');
    case 'HPE_INVALID_EOF_STATE':
      return new HatcheryError('INVALID_ARGUMENT', { problem: 'The request is incomplete' });
    case 'HPE_INVALID_METHOD':
      return unknownMethod(rawPacket);
  }
  return notHttp();
}

/** What begins with no word is no request at all, but TLS, for instance. */
function unknownMethod(packet: unknown): HatcheryError {
  const start = Buffer.isBuffer(packet) ? packet.toString('latin1', 0, LONGEST_METHOD) : '';
  const method = /^[\w!#$%&'*+.^`|~-]+(?= )/.exec(start)?.[0];
  if (method === undefined) {
    return notHttp();
  }
  return isForbidden(method)
    ? new HatcheryError('METHOD_NOT_ALLOWED', { method })
    : new HatcheryError('METHOD_UNKNOWN');
}

function notHttp(): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem: 'This is not a request of HTTP/1.1' });
}

/** Functions are no proxies: no connection is handed over to them. */
export function refuseConnect(socket: Duplex, connection: Connection): void {
  // Node has let go of the socket, and a client may reset it.
  socket.on('error', () => socket.destroy());
  const error = new HatcheryError('METHOD_NOT_ALLOWED', { method: 'CONNECT' });
  connection.refuse(error, [`Allow: ${ALLOW}`]);
}
