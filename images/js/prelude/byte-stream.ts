import { ReadableStream } from 'web-streams-polyfill';
import type { Source } from './source.js';

/** A byte stream of these bytes. */
export function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      controller.close();
    },
  });
}

/** A byte stream of the source's bytes, which takes them as they are asked for. */
export function streamFrom(source: Source): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const chunk = await source.chunk();
      if (chunk === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      }
    },
    cancel() {
      source.cancel();
    },
  });
}

/** Whether the stream was ever read from or cancelled: [[disturbed]], which the package keeps so. */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed;
}
