import { ReadableStream } from 'web-streams-polyfill';

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

/** A byte stream that calls `next` for each chunk; undefined is the end. */
export function streamFrom(next: () => Uint8Array | undefined): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = next();
      if (chunk === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      }
    },
  });
}

/** Whether the stream was ever read from or cancelled: [[disturbed]], which the package keeps so. */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed;
}
