/** Sends a response whose body a function makes while the client reads it. */
import { HatcheryError } from '../errors.js';
import type { ByteStream, Reply } from '../fabric/message.js';
import type { IncomingRequest } from './incoming-request.js';
import { type ResponseHead, responseHead } from './response.js';
import { endWithTrailer } from './trailer.js';

/**
 * Sends a streamed reply, each chunk when it comes. Resolves when all of it was handed to the
 * connection, or the client went away.
 * @param milliseconds how long a client may be slower than the function, in all.
 * @throws HatcheryError as the body breaks off, or the client is too slow; the response is then cut
 *   short, which the caller has to make known by closing the connection
 */
export async function sendStream(
  request: IncomingRequest,
  reply: Reply,
  body: ByteStream,
  milliseconds: number,
): Promise<void> {
  const { response } = request;
  const chunks = body[Symbol.asyncIterator]();
  const stop = () => {
    chunks.return?.()?.catch(() => {});
  };
  if (request.isGone) {
    stop();
    return;
  }
  const head = responseHead(request, reply);
  const { headers, givenLength, bodyAllowed, withTrailer } = head;
  // HTTP/1.1 has trailers only with chunks, which have no length ahead.
  if (givenLength !== undefined && !withTrailer && reply.status !== 204) {
    headers.push('Content-Length', givenLength);
  }
  try {
    response.writeHead(reply.status, headers);
  } catch (error) {
    stop();
    throw error;
  }
  if (!bodyAllowed) {
    response.end();
    stop();
    return;
  }
  // Its reader may wait for the head before there is anything to send.
  response.flushHeaders();
  const { raw } = request;
  raw.socket.once('close', stop);
  try {
    await pump(request, chunks, givenLength, performance.now() + milliseconds);
  } catch (error) {
    stop();
    throw error;
  } finally {
    raw.socket.removeListener('close', stop);
  }
  if (request.isGone) {
    stop();
  } else {
    finish(request, head);
  }
}

async function pump(
  request: IncomingRequest,
  chunks: AsyncIterator<Uint8Array>,
  givenLength: string | undefined,
  deadline: number,
): Promise<void> {
  const length = givenLength === undefined ? undefined : Number(givenLength);
  let sent = 0;
  for (;;) {
    const { done, value } = await chunks.next();
    if (request.isGone) {
      return;
    }
    sent += done ? 0 : value.length;
    if (length !== undefined && (done ? sent !== length : sent > length)) {
      const reason = `its body has not the ${length} bytes of its Content-Length`;
      throw new HatcheryError('RESPONSE_INVALID', { reason }, { requestId: request.id });
    }
    if (done) {
      return;
    }
    if (value.length > 0 && !request.response.write(value)) {
      await drained(request, deadline);
    }
  }
}

/** @throws HatcheryError CLIENT_GONE when the client does not read in time */
function drained(request: IncomingRequest, deadline: number): Promise<void> {
  const { response, raw } = request;
  const { socket } = raw;
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      response.removeListener('drain', go);
      socket.removeListener('close', go);
    };
    const go = () => {
      settle();
      resolve();
    };
    const giveUp = () => {
      settle();
      reject(tooSlow(request));
    };
    const timer = setTimeout(giveUp, Math.max(0, deadline - performance.now()));
    response.once('drain', go);
    socket.once('close', go);
  });
}

function tooSlow({ id }: IncomingRequest): HatcheryError {
  return new HatcheryError('CLIENT_GONE', { reason: 'it does not read' }, { requestId: id });
}

function finish(request: IncomingRequest, { withTrailer }: ResponseHead): void {
  const { response, timeline } = request;
  const start = performance.now();
  timeline.replyStart = start;
  if (withTrailer) {
    timeline.reply = 0;
    endWithTrailer(request);
    return;
  }
  response.end();
  timeline.reply = performance.now() - start;
}
