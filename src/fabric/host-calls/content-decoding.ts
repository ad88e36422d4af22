/** Undoes the content codings of a response, as Fetch has it. */
import { Duplex, pipeline, type Readable, type Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
} from 'node:zlib';

/** What is asked for where the guest says nothing. */
export const ACCEPTED_CODINGS = 'gzip, deflate, br';

/** Nobody needs more; each takes memory and time. */
const MAX_CODINGS = 2;
/** What a decoder makes at a time: it works only as far as somebody reads. */
const CHUNK_BYTES = 32 * 1024;
/** Low four bits of a zlib stream's first byte: RFC 1950. */
const DEFLATE_METHOD = 8;

// What was sent so far can be read at once, as server-sent events need it.
const zlibOptions = { chunkSize: CHUNK_BYTES, flush: constants.Z_SYNC_FLUSH };
const brotliOptions = { chunkSize: CHUNK_BYTES };

const DECODERS: Readonly<Record<string, () => Duplex>> = {
  gzip: () => createGunzip(zlibOptions),
  'x-gzip': () => createGunzip(zlibOptions),
  br: () => createBrotliDecompress(brotliOptions),
  deflate: () => new AnyInflate(),
};

/**
 * The codings to undo, the last applied first; none where one of them is unknown, or there are too
 * many: then the guest gets the body as it is, with its Content-Encoding.
 * @param value of Content-Encoding.
 */
export function codingsOf(value: string | undefined): readonly string[] {
  const codings = (value ?? '')
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '');
  return codings.length <= MAX_CODINGS && codings.every((coding) => Object.hasOwn(DECODERS, coding))
    ? codings.reverse()
    : [];
}

/**
 * @param codings of {@link codingsOf}.
 * @returns a stream which, destroyed, destroys `body`; it fails where a coding is broken or cut off.
 */
export function decodeBody(body: Readable, codings: readonly string[]): Readable {
  return codings.reduce<Readable>(
    // Whoever reads is told of a failure by the decoder.
    (stream, coding) => pipeline(stream, (DECODERS[coding] as () => Duplex)(), () => {}),
    body,
  );
}

type Callback = (error?: Error | null) => void;

/** `deflate` is a zlib stream (RFC 9110, 8.4.1.2), but some servers send it without its frame. */
class AnyInflate extends Duplex {
  #inflate: Transform | undefined;

  constructor() {
    super({ readableHighWaterMark: CHUNK_BYTES });
  }

  #choose(first: number): Transform {
    const inflate =
      (first & 15) === DEFLATE_METHOD ? createInflate(zlibOptions) : createInflateRaw(zlibOptions);
    inflate.on('data', (chunk) => {
      if (!this.push(chunk)) {
        inflate.pause();
      }
    });
    inflate.on('end', () => this.push(null));
    inflate.on('error', (error) => this.destroy(error));
    return inflate;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: Callback) {
    this.#inflate ??= this.#choose(chunk[0] ?? 0);
    this.#inflate.write(chunk, encoding, callback);
  }

  override _final(callback: Callback) {
    if (this.#inflate === undefined) {
      this.push(null);
    }
    this.#inflate?.end();
    callback();
  }

  override _read() {
    this.#inflate?.resume();
  }

  override _destroy(error: Error | null, callback: Callback) {
    this.#inflate?.destroy();
    callback(error);
  }
}
