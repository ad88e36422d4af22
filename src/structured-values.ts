/**
 * Values as structured clone copies them, as bytes. Host and guest both use this file: it needs
 * nothing but ECMAScript 2023 and the Encoding standard.
 *
 * A value is one byte, its tag, and what the table says. `count` is an unsigned LEB128 number below
 * 2^32; `float` are 8 bytes, IEEE 754, little endian; `value…` are values up to the tag `end`.
 *
 *   00 end           ends a list; no value
 *   01 hole          an absent item of an array; only there
 *   02 undefined
 *   03 null
 *   04 false
 *   05 true
 *   06 integer       count: 2n where n >= 0, -2n - 1 where n < 0 (32 bits, never -0)
 *   07 number        float
 *   08 natural       count, that many bytes: a bigint >= 0, least significant byte first
 *   09 negative      the same: a bigint < 0, of which the bytes give the absolute value
 *   0A text          count, that many bytes of UTF-8
 *   0B code units    count, twice that many bytes: UTF-16, little endian, where there are lone surrogates
 *   0C boxed         a boolean, number, bigint or string, of which it is the object
 *   0D date          float, NaN for an invalid one
 *   0E regexp        source and flags, both strings; lastIndex is not kept
 *   0F array         items (value or hole), end, then properties: key (a string), value…, end
 *   10 object        properties: key (a string), value…, end
 *   11 map           key, value…, end
 *   12 set           value…, end
 *   13 buffer        count, that many bytes: an ArrayBuffer
 *   14 view          kind (a byte, see VIEWS), count, that many bytes: the whole of its buffer
 *   15 error         kind (a byte, see ERRORS), message (a string or undefined), 00 or 01 and the cause
 *   16 exception     a DOMException: name and message, both strings
 *   17 reference     count: the object with this number. 0C to 16 are numbered from 0, each before
 *                    what it contains, so that a cycle can be told
 *
 * It differs from HTML's algorithm in that
 *  - a view takes only the bytes that it shows with it. (A small Buffer of Node's is a view of a pool
 *    that holds the bytes of others.) So views of one buffer become views of several, and a
 *    buffer that can be resized becomes one that cannot;
 *  - errors come without their stack: it says where the host's files are;
 *  - what has a Symbol.toStringTag of its own is no plain object and is refused;
 *  - depth and length of arrays are bounded, here as there.
 */

import { Decoder } from './structured-values/decoder.js';
import { Encoder } from './structured-values/encoder.js';

export { StructuredValueError } from './structured-values/decoder.js';
export { MAX_ARRAY_LENGTH, MAX_DEPTH } from './structured-values/format.js';

/**
 * The value as bytes; the caller's. Accessors of the value are called.
 * @throws what has the name `DataCloneError` for a value that cannot be cloned, and what an accessor
 *   throws
 */
export function encode(value: unknown): Uint8Array {
  const encoder = new Encoder();
  encoder.value(value, 0);
  return encoder.bytes();
}

/**
 * The value that the bytes stand for. They may be anybody's: nothing is allocated before its bytes are
 * there, so the memory needed is proportional to theirs.
 * @throws StructuredValueError
 */
export function decode(bytes: Uint8Array): unknown {
  const decoder = new Decoder(bytes);
  const value = decoder.value(decoder.byte(), 0);
  decoder.finish();
  return value;
}
