/** The custom section `name` (core specification, appendix on custom sections). */
import type { ByteReader } from './reader.js';

const FUNCTION_NAMES = 1;

/** Names of functions by their index. @throws MalformedModule */
export function readFunctionNames(reader: ByteReader): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  while (!reader.isAtEnd) {
    const kind = reader.byte();
    const content = reader.part(reader.unsigned());
    if (kind === FUNCTION_NAMES) {
      for (let left = content.count(2); left > 0; left--) {
        const index = content.unsigned();
        names.set(index, content.text());
      }
    }
  }
  return names;
}
