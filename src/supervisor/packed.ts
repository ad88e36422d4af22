/**
 * A prepared function as messages of JSON can carry it: what is large goes ahead, in pieces, so that
 * neither process ever holds all of it as text.
 */
import type { PreparedFunction } from '../fabric/prepared.js';

/** All but the bytes. */
export type PackedFunction = Omit<PreparedFunction, 'bundle' | 'image'> & {
  readonly bundle?: Omit<NonNullable<PreparedFunction['bundle']>, 'code'> | undefined;
  readonly image: Omit<PreparedFunction['image'], 'bytes'>;
};

export interface Piece {
  readonly of: 'code' | 'image';
  /** Base 64. */
  readonly text: string;
}

/** A multiple of 3, so that base 64 has no padding in between. */
const PIECE_BYTES = 96 * 1024;

export function pack({ bundle, image, ...rest }: PreparedFunction): PackedFunction {
  const { bytes: _bytes, ...imageFacts } = image;
  if (bundle === undefined) {
    return { ...rest, image: imageFacts };
  }
  const { code: _code, ...bundleFacts } = bundle;
  return { ...rest, bundle: bundleFacts, image: imageFacts };
}

/** What {@link pack} leaves out. */
export function* piecesOf({ bundle, image }: PreparedFunction): Iterable<Piece> {
  for (const [of, bytes] of [
    ['code', bundle?.code ?? new Uint8Array()],
    ['image', image.bytes],
  ] as const) {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const { buffer, byteOffset } = bytes;
      const size = Math.min(PIECE_BYTES, bytes.length - at);
      yield { of, text: Buffer.from(buffer, byteOffset + at, size).toString('base64') };
    }
  }
}

/** Puts functions together again. */
export class Unpacking {
  #pieces = { code: [] as Buffer[], image: [] as Buffer[] };

  add({ of, text }: Piece): void {
    this.#pieces[of].push(Buffer.from(text, 'base64'));
  }

  /** All pieces of it must have been added; the next ones are of another function. */
  finish(packed: PackedFunction): PreparedFunction {
    const code = Buffer.concat(this.#pieces.code);
    const bytes = Buffer.concat(this.#pieces.image);
    this.#pieces = { code: [], image: [] };
    const { bundle, image } = packed;
    return {
      ...packed,
      bundle: bundle && { ...bundle, code },
      image: { ...image, bytes },
    };
  }
}
