/** Files of saved domains, in the format of `xl save` (tools/xl/xl.h of Xen 4.17). */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { HatcheryError } from '../errors.js';

const MAGIC = Buffer.from('Xen saved domain, xl format\n \0 \r'.padEnd(32, '\0'), 'latin1');
const BYTE_ORDER = 0x01020304;
/** What a reader must understand: the configuration is JSON, and libxl's second stream format follows. */
const JSON_CONFIG = 1 << 0;
const STREAM_V2 = 1 << 1;
const HEADER_BYTES = 48;
/** No configuration comes near it. */
const MOST_CONFIG_BYTES = 16 * 2 ** 20;

function header(config: string): Buffer {
  const text = Buffer.from(`${config}\0`);
  const bytes = Buffer.alloc(HEADER_BYTES + 4);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(BYTE_ORDER, 32);
  bytes.writeUInt32LE(JSON_CONFIG | STREAM_V2, 36);
  bytes.writeUInt32LE(0, 40);
  bytes.writeUInt32LE(4 + text.length, 44);
  bytes.writeUInt32LE(text.length, 48);
  return Buffer.concat([bytes, text]);
}

/**
 * Writes the head, has `writeStream` append the rest to the descriptor, and gives the file its name only
 * when all is there.
 */
export async function writeSaveFile(
  path: string,
  config: string,
  writeStream: (descriptor: number) => Promise<void>,
): Promise<void> {
  const partial = `${path}.partial`;
  const file = await openFile(partial, 'w');
  try {
    await file.writeFile(header(config));
    await writeStream(file.fd);
    await file.sync();
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw error;
  }
}

/**
 * Reads the head, and gives `readStream` the configuration and a descriptor that stands behind it.
 * @throws HatcheryError INVALID_ARGUMENT
 */
export async function readSaveFile<Value>(
  path: string,
  readStream: (config: string, descriptor: number) => Promise<Value>,
): Promise<Value> {
  const file = await openFile(path, 'r');
  try {
    return await readStream(await readConfig(file, path), file.fd);
  } finally {
    await file.close();
  }
}

async function readConfig(file: FileHandle, path: string): Promise<string> {
  const refuse = (problem: string): never => {
    throw new HatcheryError('INVALID_ARGUMENT', {
      problem: `${path} is no saved domain that can be restored here: ${problem}`,
    });
  };
  const head = await readBytes(file, HEADER_BYTES);
  if (head === undefined || !head.subarray(0, 32).equals(MAGIC)) {
    return refuse('it does not begin like one');
  }
  if (head.readUInt32LE(32) !== BYTE_ORDER) {
    return refuse('it was made on a machine with another order of bytes');
  }
  const flags = head.readUInt32LE(36);
  if (flags !== (JSON_CONFIG | STREAM_V2)) {
    return refuse(`its format has the flags ${flags}; a newer or a much older xl made it`);
  }
  const bytes = head.readUInt32LE(44);
  const optional = bytes > MOST_CONFIG_BYTES ? undefined : await readBytes(file, bytes);
  const length = optional !== undefined && bytes >= 4 ? optional.readUInt32LE(0) : 0;
  if (optional === undefined || length < 2 || 4 + length > bytes) {
    return refuse('it has no configuration, or only a part of it');
  }
  return optional.toString('utf8', 4, 4 + length - 1);
}

/** The next bytes of the file, at its own position; undefined where it ends before. */
async function readBytes(file: FileHandle, count: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(count);
  let filled = 0;
  while (filled < count) {
    const { bytesRead } = await file.read(bytes, filled, count - filled, null);
    if (bytesRead === 0) {
      return undefined;
    }
    filled += bytesRead;
  }
  return bytes;
}

async function openFile(path: string, flags: 'r' | 'w'): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (cause) {
    const problem = `${path} cannot be opened: ${(cause as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
  }
}
