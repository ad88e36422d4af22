/** Blobs while they come: beside those that are there, and gone if they do not come whole. */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HatcheryError } from '../../errors.js';
import { FOLDER_MODE } from '../../image/store/blobs.js';
import type { Digest } from '../../image/store/layout.js';

const FILE_MODE = 0o600;
/** Each write goes by a thread, which takes longer than what a connection gives at once. */
const WRITE_BYTES = 512 * 1024;

export class Incoming {
  readonly #folder: string;

  /** @param folder for nothing else, in the file system that blobs end in */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes away what servers that were killed have left. */
  async clear(): Promise<void> {
    await onDisk(() => rm(this.#folder, { recursive: true, force: true }));
  }

  /**
   * Writes what comes to a file that lasts, and looks whether it is what it should be.
   * @param count told of the bytes of each piece before they are written; what it throws ends it
   * @param adopt takes the file from its path
   * @throws HatcheryError UPLOAD_INVALID, DATA_UNUSABLE; what `source` and `count` throw
   */
  async receive(
    digest: Digest,
    source: AsyncIterable<Uint8Array>,
    count: (bytes: number) => void,
    adopt: (path: string) => Promise<void>,
  ): Promise<void> {
    const path = join(this.#folder, randomBytes(8).toString('hex'));
    const file = await onDisk(async () => {
      await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
      return open(path, 'wx', FILE_MODE);
    });
    try {
      try {
        await write(file, digest, source, count);
      } finally {
        await file.close();
      }
      await onDisk(() => adopt(path));
    } catch (error) {
      await rm(path, { force: true }).catch(() => {});
      throw error;
    }
  }
}

async function write(
  file: FileHandle,
  digest: Digest,
  source: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): Promise<void> {
  const hash = createHash('sha256');
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  const flush = async () => {
    const all = Buffer.concat(pieces);
    pieces = [];
    bytes = 0;
    await onDisk(() => file.appendFile(all));
  };
  for await (const piece of source) {
    count(piece.length);
    hash.update(piece);
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= WRITE_BYTES) {
      await flush();
    }
  }
  await flush();
  if (`sha256:${hash.digest('hex')}` !== digest) {
    const reason = 'it has another digest, so it was cut or changed';
    throw new HatcheryError('UPLOAD_INVALID', { digest, reason });
  }
  await onDisk(() => file.sync());
}

/** Where the data folder is, is not for clients. @throws HatcheryError DATA_UNUSABLE */
export async function onDisk<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HatcheryError && cause.code !== 'DATA_UNUSABLE') {
      throw cause;
    }
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = cause instanceof HatcheryError ? cause.details.reason : (code ?? message);
    throw new HatcheryError('DATA_UNUSABLE', { path: 'uploads', reason }, { cause });
  }
}
