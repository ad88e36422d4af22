/**
 * Functions and their versions on disk: a folder for each function, a file for each version, written
 * once, and `index.json`, which says what counts. A version that the index does not name does not exist,
 * so that whatever was going on when a process was killed, the old state or the new one is there.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeUnfinished, syncFolder, writeAtomically } from '../../atomic-file.js';
import { HatcheryError } from '../../errors.js';
import type { SecretBox } from './secret-box.js';
import {
  digestOf,
  type FunctionIndex,
  parseIndex,
  parseVersion,
  type StoredVersion,
  secretPlace,
  type VersionSettings,
} from './stored-function.js';

/** A version with its secrets in the clear, in memory only. */
export interface OpenedVersion extends Omit<StoredVersion, 'secrets'> {
  readonly secrets: Readonly<Record<string, string>>;
}

/** A version without its code and the values of its secrets. */
export interface VersionSummary {
  readonly version: number;
  readonly settings: VersionSettings;
  /** The names of its secrets. */
  readonly secrets: readonly string[];
}

export interface NewVersion {
  readonly settings: VersionSettings;
  readonly secrets: Readonly<Record<string, string>>;
  readonly code?: StoredVersion['code'];
}

const INDEX_FILE = 'index.json';
const VERSION_FILE = /^\d+\.json$/;
/** How many versions of a function are kept, the current one included. */
export const KEPT_VERSIONS = 20;

export class FunctionStore {
  readonly #folder: string;
  readonly #box: SecretBox;
  readonly #indexes = new Map<string, FunctionIndex>();
  /** The image of each version that was looked at, by its file's digest: versions do not change. */
  readonly #images = new Map<string, string>();
  /** Of current versions, for those who list them often. */
  readonly #summaries = new Map<string, VersionSummary>();

  private constructor(folder: string, box: SecretBox) {
    this.#folder = folder;
    this.#box = box;
  }

  /**
   * Reads what there is, and takes away what killed processes have left half done.
   * @param data the data folder; `functions` in it is made where it is missing.
   * @throws HatcheryError DATA_UNUSABLE
   */
  static async open(data: string, box: SecretBox): Promise<FunctionStore> {
    const folder = join(data, 'functions');
    const store = new FunctionStore(folder, box);
    await attempt(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
    await attempt(data, () => syncFolder(data));
    for (const name of await attempt(folder, () => readdir(folder))) {
      await store.#load(name);
    }
    return store;
  }

  /** The functions that there are, by name. */
  list(): FunctionIndex[] {
    return [...this.#indexes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): FunctionIndex | undefined {
    return this.#indexes.get(name);
  }

  /**
   * Adds a version, which is the current one from then on; the oldest ones go. Calls for one name must
   * not overlap.
   * @throws HatcheryError DATA_UNUSABLE; the function is then as it was
   */
  async add(name: string, { settings, secrets, code }: NewVersion): Promise<FunctionIndex> {
    const before = this.#indexes.get(name);
    const version = 1 + Math.max(0, ...(before?.versions ?? []).map((known) => known.version));
    const sealed = Object.entries(secrets).map(([secret, value]) => [
      secret,
      this.#box.seal(value, secretPlace(name, version, secret)),
    ]);
    const createdAt = new Date().toISOString();
    const stored = { version, createdAt, settings, secrets: Object.fromEntries(sealed), code };
    const text = JSON.stringify(stored);
    const folder = this.#folderOf(name);
    await attempt(folder, async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await syncFolder(this.#folder);
      await writeAtomically(this.#file(name, version), text);
    });
    const versions = [...(before?.versions ?? []), { version, createdAt, digest: digestOf(text) }];
    return this.#write({ name, current: version, versions: versions.slice(-KEPT_VERSIONS) });
  }

  /**
   * Makes a version that is kept the current one.
   * @throws HatcheryError FUNCTION_MISSING, VERSION_MISSING, DATA_UNUSABLE
   */
  async makeCurrent(name: string, version: number): Promise<FunctionIndex> {
    return this.#write({ ...this.#index(name), current: this.#known(name, version).version });
  }

  /** @throws HatcheryError FUNCTION_MISSING, VERSION_MISSING, DATA_UNUSABLE */
  async read(name: string, version = this.#index(name).current): Promise<OpenedVersion> {
    const stored = await this.#read(name, version);
    const secrets = Object.entries(stored.secrets).map(([secret, sealed]) => [
      secret,
      this.#box.open(sealed, secretPlace(name, version, secret)),
    ]);
    return { ...stored, secrets: Object.fromEntries(secrets) };
  }

  /**
   * What can be said of the current version without its key.
   * @throws HatcheryError FUNCTION_MISSING, DATA_UNUSABLE
   */
  async summary(name: string): Promise<VersionSummary> {
    const { current } = this.#index(name);
    const known = this.#summaries.get(name);
    if (known?.version === current) {
      return known;
    }
    const { version, settings, secrets } = await this.#read(name, current);
    const summary = { version, settings, secrets: Object.keys(secrets) };
    this.#summaries.set(name, summary);
    return summary;
  }

  /**
   * The images of all versions that are kept, as they were named. Of one whose file is not what it was
   * nothing is known, and it will not be started.
   * @throws HatcheryError DATA_UNUSABLE where a file cannot be read
   */
  async images(): Promise<Set<string>> {
    const known = new Map<string, string>();
    for (const { name, versions } of this.list()) {
      for (const { version, digest } of versions) {
        known.set(digest, this.#images.get(digest) ?? (await this.#imageOf(name, version)));
      }
    }
    this.#images.clear();
    for (const [digest, image] of known) {
      this.#images.set(digest, image);
    }
    return new Set(known.values());
  }

  /** Forgets a function with all its versions. @throws HatcheryError FUNCTION_MISSING, DATA_UNUSABLE */
  async remove(name: string): Promise<void> {
    this.#index(name);
    const folder = this.#folderOf(name);
    await attempt(folder, async () => {
      // Without its index the rest is rubbish, which the next start takes away if this one cannot.
      await rm(join(folder, INDEX_FILE));
      await syncFolder(folder);
      this.#indexes.delete(name);
      this.#summaries.delete(name);
      await rm(folder, { recursive: true });
      await syncFolder(this.#folder);
    });
  }

  /** Empty where there is none any more. */
  async #imageOf(name: string, version: number): Promise<string> {
    try {
      return (await this.#read(name, version)).settings.image;
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      // It was removed meanwhile, or is broken; whatever else it is may pass.
      if (code === undefined || code === 'ENOENT') {
        return '';
      }
      throw error;
    }
  }

  async #read(name: string, version: number): Promise<StoredVersion> {
    const path = this.#file(name, version);
    const { digest } = this.#known(name, version);
    return attempt(path, async () => parseVersion(await readFile(path, 'utf8'), digest));
  }

  async #write(index: FunctionIndex): Promise<FunctionIndex> {
    const { name } = index;
    const path = join(this.#folderOf(name), INDEX_FILE);
    await attempt(path, () => writeAtomically(path, JSON.stringify(index)));
    this.#indexes.set(name, index);
    await this.#sweep(index);
    return index;
  }

  async #load(name: string): Promise<void> {
    const folder = this.#folderOf(name);
    const path = join(folder, INDEX_FILE);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') {
        return undefined;
      }
      throw unusable(path, error);
    });
    if (text === undefined) {
      await attempt(folder, () => rm(folder, { recursive: true }));
      return;
    }
    const index = await attempt(path, async () => parseIndex(text));
    this.#indexes.set(name, index);
    await attempt(folder, () => removeUnfinished(folder));
    await this.#sweep(index);
  }

  /** Removes versions that do not exist any more, or never did. */
  async #sweep({ name, versions }: FunctionIndex): Promise<void> {
    const folder = this.#folderOf(name);
    const kept = new Set(versions.map(({ version }) => `${version}.json`));
    const found = await attempt(folder, () => readdir(folder));
    const surplus = found.filter((file) => VERSION_FILE.test(file) && !kept.has(file));
    await attempt(folder, () => Promise.all(surplus.map((file) => rm(join(folder, file)))));
  }

  #index(name: string): FunctionIndex {
    const index = this.#indexes.get(name);
    if (index === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: name });
    }
    return index;
  }

  #known(name: string, version: number): FunctionIndex['versions'][number] {
    const known = this.#index(name).versions.find((kept) => kept.version === version);
    if (known === undefined) {
      throw new HatcheryError('VERSION_MISSING', { function: name, version });
    }
    return known;
  }

  #folderOf(name: string): string {
    return join(this.#folder, name);
  }

  #file(name: string, version: number): string {
    return join(this.#folderOf(name), `${version}.json`);
  }
}

async function attempt<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Clients of the API see it, too: where the data folder is, is not for them. */
function unusable(path: string, cause: unknown): HatcheryError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const details = { path: path.slice(path.lastIndexOf('/functions') + 1), reason: code ?? message };
  return new HatcheryError('DATA_UNUSABLE', details, { cause });
}
