/** What was built before, by what it was built of: the same again needs no compiler. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { removeUnfinished, writeAtomically } from '../../atomic-file.js';
import { defaultDataFolder } from '../../data-path.js';
import { FOLDER_MODE } from '../store/blobs.js';
import { isDigest } from '../store/image-name.js';
import type { ImageStore } from '../store/image-store.js';
import { type Digest, type ImageConfig, parseConfig } from '../store/layout.js';

const ENTRY = v.object({
  code: v.object({
    digest: v.custom<Digest>((value) => typeof value === 'string' && isDigest(value)),
    size: v.number(),
  }),
  config: v.unknown(),
  minimumMemoryBytes: v.number(),
});

export interface Built {
  readonly elf: Uint8Array;
  /** Without limits. */
  readonly config: ImageConfig;
  /** That it cannot do without. */
  readonly minimumMemoryBytes: number;
}

export class BuildCache {
  readonly #store: ImageStore;
  readonly #folder: string;

  /** @param store has the code of what was built */
  constructor(store: ImageStore, folder = join(defaultDataFolder(), 'image-builds')) {
    this.#store = store;
    this.#folder = folder;
  }

  /** `undefined` where it was not built, or something of it is gone or broken. */
  async find(key: Digest): Promise<Built | undefined> {
    try {
      const entry = v.parse(ENTRY, JSON.parse(await readFile(this.#path(key), 'utf8')));
      const elf = await this.#store.readCode(entry.code);
      const config = parseConfig(Buffer.from(JSON.stringify(entry.config)));
      const { minimumMemoryBytes } = entry;
      return elf && { elf, config, minimumMemoryBytes };
    } catch {
      return undefined;
    }
  }

  async keep(key: Digest, code: Digest, built: Built): Promise<void> {
    const { elf, config, minimumMemoryBytes } = built;
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    const entry = { code: { digest: code, size: elf.length }, config, minimumMemoryBytes };
    await writeAtomically(this.#path(key), JSON.stringify(entry));
  }

  /** Forgets builds whose code is not in the store any more. */
  async collect(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names.filter((one) => /^[0-9a-f]{64}\.json$/.test(one))) {
      const key: Digest = `sha256:${name.slice(0, 64)}`;
      if ((await this.find(key)) === undefined) {
        await rm(this.#path(key), { force: true });
      }
    }
    if (names.length > 0) {
      await removeUnfinished(this.#folder);
    }
  }

  #path(key: Digest): string {
    return join(this.#folder, `${key.slice('sha256:'.length)}.json`);
  }
}
