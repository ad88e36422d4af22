/** A prepared function as JSON can carry it. */
import type { PreparedFunction } from '../fabric/prepared.js';

export interface PackedFunction {
  readonly prepared: Omit<PreparedFunction, 'bundle' | 'image'> & {
    readonly bundle?: Omit<NonNullable<PreparedFunction['bundle']>, 'code'>;
    readonly image: Omit<PreparedFunction['image'], 'bytes'>;
  };
  /** Base 64; empty for an image that takes no code. */
  readonly code: string;
  /** The image's file, base 64. */
  readonly image: string;
}

const toText = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

export function pack(prepared: PreparedFunction): PackedFunction {
  const { bundle, image, ...rest } = prepared;
  const { bytes, ...imageFacts } = image;
  const facts = { ...rest, image: imageFacts };
  if (bundle === undefined) {
    return { prepared: facts, code: '', image: toText(bytes) };
  }
  const { code, ...bundleFacts } = bundle;
  return {
    prepared: { ...facts, bundle: bundleFacts },
    code: toText(code),
    image: toText(bytes),
  };
}

export function unpack({ prepared, code, image }: PackedFunction): PreparedFunction {
  const { bundle } = prepared;
  return {
    ...prepared,
    bundle: bundle && { ...bundle, code: Buffer.from(code, 'base64') },
    image: { ...prepared.image, bytes: Buffer.from(image, 'base64') },
  };
}
