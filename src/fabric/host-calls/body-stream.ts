/** A stream of Node's as the stream of a guest's READs. */
import type { Readable } from 'node:stream';
import type { ByteStream } from '../message.js';

/** A chunk is at most this long. */
const CHUNK_BYTES = 64 * 1024;

/**
 * @param translate makes what the guest gets of an error.
 * @returns a stream whose `return` destroys `body`, even where nothing was read yet (what an async
 *   generator does not do).
 */
export function bodyStream(body: Readable, translate: (error: unknown) => Error): ByteStream {
  const source: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let left: Uint8Array = new Uint8Array(0);
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          while (left.length === 0) {
            const { done, value } = await source.next();
            if (done) {
              return { done, value: undefined };
            }
            left = value;
          }
        } catch (error) {
          throw translate(error);
        }
        const value = left.subarray(0, CHUNK_BYTES);
        left = left.subarray(value.length);
        return { done: false, value };
      },
      async return() {
        body.destroy();
        return { done: true, value: undefined };
      },
    }),
  };
}
