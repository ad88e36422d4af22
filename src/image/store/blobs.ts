/** The blobs of an image layout: files that are named by what is in them. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { removeUnfinished, syncFolder, writeAtomically } from '../../atomic-file.js';
import { BLOB_FOLDER, type Descriptor, type Digest, digestOf } from './layout.js';

/** Only the user may look into the data of Hatchery. */
export const FOLDER_MODE = 0o700;
const BLOB_NAME = /^[0-9a-f]{64}$/;

export class Blobs {
  readonly #folder: string;

  /** @param folder of the layout */
  constructor(folder: string) {
    this.#folder = join(folder, BLOB_FOLDER);
  }

  /** Writes it where it is not there, whole, already. */
  async write(bytes: Uint8Array): Promise<void> {
    const digest = digestOf(bytes);
    const there = await this.read({ digest, size: bytes.length }).catch(() => undefined);
    if (there === undefined) {
      await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
      await writeAtomically(this.#path(digest), bytes);
    }
  }

  /** Puts a file in place that has this digest and lasts; it is of the same file system. */
  async adopt(path: string, digest: Digest): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    await rename(path, this.#path(digest));
    await syncFolder(this.#folder);
  }

  /** Whether it is there, in its size; what is in it shows when it is read. */
  async has({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): Promise<boolean> {
    const facts = await stat(this.#path(digest)).catch(() => undefined);
    return facts?.isFile() === true && facts.size === size;
  }

  /** Makes it as young as one that has just come. */
  async touch(digest: Digest): Promise<void> {
    const now = new Date();
    await utimes(this.#path(digest), now, now).catch(() => {});
  }

  /** When it came or was touched, in milliseconds since 1970; 0 where it is not there. */
  async time(digest: Digest): Promise<number> {
    return (await stat(this.#path(digest)).catch(() => undefined))?.mtimeMs ?? 0;
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  /** How many there are, and what they take. */
  async total(): Promise<{ readonly blobs: number; readonly bytes: number }> {
    const names = await readdir(this.#folder).catch(() => []);
    const sizes = await Promise.all(
      names.map(
        async (name) => (await stat(join(this.#folder, name)).catch(() => undefined))?.size,
      ),
    );
    return {
      blobs: names.length,
      bytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    };
  }

  /** @throws Error that says what is wrong: it is missing, or is not what its digest says */
  async read({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): Promise<Uint8Array> {
    const file = await open(this.#path(digest), constants.O_RDONLY | constants.O_NOFOLLOW).catch(
      (cause: unknown) => {
        throw new Error(`its blob ${digest} cannot be read`, { cause });
      },
    );
    try {
      const facts = await file.stat();
      if (!facts.isFile() || facts.size !== size) {
        throw new Error(`its blob ${digest} has ${facts.size} bytes where it should have ${size}`);
      }
      const bytes = await file.readFile();
      if (createHash('sha256').update(bytes).digest('hex') !== hexOf(digest)) {
        throw new Error(`its blob ${digest} was changed: it has another digest`);
      }
      return bytes;
    } finally {
      await file.close();
    }
  }

  /**
   * Removes all but those.
   * @param before those that are younger stay, too; in milliseconds since 1970
   */
  async keepOnly(
    digests: ReadonlySet<string>,
    before = Number.POSITIVE_INFINITY,
  ): Promise<{ blobs: number; bytes: number }> {
    const removed = { blobs: 0, bytes: 0 };
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (BLOB_NAME.test(name) && !digests.has(`sha256:${name}`)) {
        const path = join(this.#folder, name);
        const { size, mtimeMs } = await stat(path);
        if (mtimeMs > before) {
          continue;
        }
        removed.bytes += size;
        removed.blobs += 1;
        await rm(path);
      }
    }
    await removeUnfinished(this.#folder).catch(() => {});
    return removed;
  }

  #path(digest: Digest): string {
    return join(this.#folder, hexOf(digest));
  }
}

function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
