/**
 * Which servers use images of a store: a file in it for each data folder. It says only where that is, and
 * what its functions use is read there when something is to be removed, so that the two cannot disagree.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { removeUnfinished, syncFolder, writeAtomically } from '../../atomic-file.js';
import { FOLDER_MODE } from './blobs.js';

const FILE = /^[0-9a-f]{64}\.json$/;
const USER = v.object({ data: v.string() });

/** A function that needs an image to be started again. */
export interface ImageUse {
  /** As the function names it: by name or digest. */
  readonly image: string;
  readonly function: string;
  /** The data folder of the function's server. */
  readonly data: string;
}

/** What needs images of a store, asked while nobody else changes it. */
export type ImageUses = () => Promise<readonly ImageUse[]>;

export class ImageUsers {
  readonly #folder: string;

  /** @param store its folder */
  constructor(store: string) {
    this.#folder = join(store, 'users');
  }

  /** Notes a data folder, where it is not noted yet; that lasts when this resolves. */
  async add(data: string): Promise<void> {
    const path = this.#path(data);
    if ((await readFile(path, 'utf8').catch(() => undefined)) === textOf(data)) {
      return;
    }
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    await writeAtomically(path, textOf(data));
    await syncFolder(join(this.#folder, '..'));
  }

  /** The data folders that are noted. @throws Error where a note cannot be read */
  async list(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        return [];
      }
      throw error;
    });
    const notes = names.filter((name) => FILE.test(name)).sort();
    return Promise.all(
      notes.map(async (name) => {
        const text = await readFile(join(this.#folder, name), 'utf8');
        return v.parse(USER, JSON.parse(text)).data;
      }),
    );
  }

  /** Forgets a data folder that is gone. */
  async remove(data: string): Promise<void> {
    await rm(this.#path(data), { force: true });
    await removeUnfinished(this.#folder).catch(() => {});
  }

  #path(data: string): string {
    return join(this.#folder, `${createHash('sha256').update(data).digest('hex')}.json`);
  }
}

function textOf(data: string): string {
  return JSON.stringify({ data });
}
