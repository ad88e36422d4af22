/** How long a request's body may take. Node has one limit for all of them, and uploads may take longer. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { answerClientError } from './errors.js';

/** Of an upload that does not pause. */
const UPLOAD_MILLISECONDS = 3_600_000;

/** @param milliseconds for all of the body */
export function limitBodyTime(request: IncomingMessage, milliseconds: number): void {
  const timer = setTimeout(() => end(request), milliseconds);
  onceOver(request, () => clearTimeout(timer));
}

/** A request whose body was not read to its end may be over with its connection only. */
function onceOver(request: IncomingMessage, done: () => void): void {
  const { socket } = request;
  const over = () => {
    request.off('close', over);
    socket.off('close', over);
    done();
  };
  request.once('close', over);
  socket.once('close', over);
}

/** @param milliseconds that may go by without anything that comes */
export function limitUploadTime(request: IncomingMessage, milliseconds: number): void {
  limitBodyTime(request, UPLOAD_MILLISECONDS);
  const { socket } = request;
  request.setTimeout(milliseconds, () => end(request));
  request.once('end', () => socket.setTimeout(0));
}

/** Where it has not come whole. */
function end(request: IncomingMessage): void {
  if (!request.complete) {
    const late = Object.assign(new Error('it takes too long'), {
      code: 'ERR_HTTP_REQUEST_TIMEOUT',
    });
    answerClientError(late, request.socket as Socket);
  }
}
