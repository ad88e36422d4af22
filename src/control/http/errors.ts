/** Every error of the control API as `{code, message, requestId, details?}`. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply } from 'fastify';
import type { BaseLogger } from 'pino';
import { HatcheryError } from '../../errors.js';
import { rawResponse } from '../../front/raw-response.js';

/** What fastify and the JSON parser throw, as one of ours. */
export function knownError(error: unknown, bodyLimit: number): HatcheryError {
  if (error instanceof HatcheryError) {
    return error;
  }
  const { code, statusCode = 500, message } = error as Partial<FastifyError>;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit: bodyLimit });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HatcheryError('CONTENT_TYPE_UNSUPPORTED');
    case 'ECONNRESET':
      return new HatcheryError('CLIENT_GONE');
  }
  return statusCode < 500
    ? new HatcheryError('INVALID_ARGUMENT', { problem: message?.replace(/\.$/, '') })
    : new HatcheryError('INTERNAL', {}, { cause: error });
}

export function sendError(
  reply: FastifyReply,
  error: HatcheryError,
  requestId: string,
  logger: BaseLogger,
): void {
  error.requestId ??= requestId;
  if (error.status >= 500) {
    logger.error({ requestId, code: error.code, err: error.cause }, error.message);
  }
  const { retryAfter } = error.details;
  if (typeof retryAfter === 'number') {
    reply.header('Retry-After', String(retryAfter));
  }
  if (error.status === 401) {
    reply.header('WWW-Authenticate', 'Bearer');
  }
  // Of a body that is still coming, too.
  if (error.code === 'REQUEST_BODY_TOO_LARGE' || !reply.request.raw.complete) {
    // The rest of it is nobody's.
    reply.header('Connection', 'close');
  }
  // As text: a schema of the operation is for what succeeds.
  reply
    .code(error.status)
    .header('Content-Type', 'application/json; charset=utf-8')
    .serializer((text: unknown) => text as string)
    .send(JSON.stringify(error));
}

/** What is no request of HTTP, or comes too slowly. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const known =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new HatcheryError('REQUEST_TIMEOUT')
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? new HatcheryError('REQUEST_HEAD_TOO_LARGE', { limit: 16_384, unit: 'bytes' })
        : new HatcheryError('INVALID_ARGUMENT', { problem: 'This is not a request of HTTP/1.1' });
  socket.end(rawResponse(known), () => socket.destroy());
}
