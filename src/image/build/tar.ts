/**
 * Packs files as a plain ustar archive (POSIX.1-1988): sorted, without dates and owners, so that the
 * same files give the same bytes.
 */
import { HatcheryError } from '../../errors.js';

export interface PackedFile {
  /** Relative, with `/` between its parts. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const REGULAR = '0';
const FOLDER = '5';

/**
 * @param files with paths that differ; the folders on the way to them are added
 * @throws HatcheryError INVALID_ARGUMENT where a path is too long for the format, or one is a file and a
 *   folder
 */
export function packTar(files: readonly PackedFile[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const byPath = new Map(files.map((file) => [file.path, file]));
  const paths = [...new Set([...folders, ...byPath.keys()])].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const parts = paths.flatMap((path) => {
    const file = byPath.get(path);
    if (file === undefined) {
      return [header(`${path}/`, 0, FOLDER, 0o755)];
    }
    if (folders.has(path)) {
      throw invalid(`${path} is a file and a folder`);
    }
    const { bytes, executable } = file;
    const padding = Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES);
    return [header(path, bytes.length, REGULAR, executable ? 0o755 : 0o644), bytes, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function header(path: string, size: number, type: string, mode: number): Buffer {
  const { name, prefix } = split(path);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, digits: number) =>
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  name.copy(block, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7); // user
  octal(0, 116, 7); // group
  octal(size, 124, 11);
  octal(0, 136, 11); // modified
  block.fill(' ', 148, 156);
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(0, 329, 7); // device
  octal(0, 337, 7);
  prefix.copy(block, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A long path is split at a slash, which is in neither part. */
function split(path: string): { readonly name: Buffer; readonly prefix: Buffer } {
  const bytes = Buffer.from(path);
  if (bytes.length <= NAME_BYTES) {
    return { name: bytes, prefix: Buffer.alloc(0) };
  }
  // The last byte may be the slash of a folder, which stays.
  for (let at = bytes.length - 2; at > 0; at--) {
    const name = bytes.subarray(at + 1);
    if (bytes[at] === 0x2f && at <= PREFIX_BYTES && name.length <= NAME_BYTES) {
      return { name, prefix: bytes.subarray(0, at) };
    }
  }
  throw invalid(`the path ${path} is too long for a file in an image`);
}

function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem });
}
