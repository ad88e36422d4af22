/**
 * Images that users built, by their content: an OCI image layout on disk. What is read is checked
 * against its digest before anything is done with it; what is written lasts, or is as it was before.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ABI_VERSION } from '../../abi.js';
import { removeUnfinished, writeAtomically } from '../../atomic-file.js';
import { defaultDataFolder } from '../../data-path.js';
import { HatcheryError } from '../../errors.js';
import { parseElf } from '../elf.js';
import { Blobs, FOLDER_MODE } from './blobs.js';
import { checkImageName, isDigest } from './image-name.js';
import { type ImageUse, ImageUsers, type ImageUses } from './image-users.js';
import {
  checkLayout,
  type Descriptor,
  type Digest,
  digestOf,
  type ImageConfig,
  INDEX_FILE,
  indexText,
  LAYOUT_FILE,
  LAYOUT_TEXT,
  type Manifest,
  manifestDescriptor,
  NAME_ANNOTATION,
  parseConfig,
  parseIndex,
  parseManifest,
  type WholeImage,
} from './layout.js';
import { alone } from './store-lock.js';

/** An image of the store. */
export interface StoredImage {
  /** `undefined`: another image has taken its name. */
  readonly name: string | undefined;
  /** Of its manifest. */
  readonly digest: Digest;
  /** Of its ELF file, in bytes. */
  readonly size: number;
  readonly config: ImageConfig;
}

/** The same with its code. */
export interface ReadImage extends StoredImage {
  readonly whole: WholeImage;
}

/** What was taken away. */
export interface Removed {
  readonly images: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** What {@link ImageStore.collect} did. */
export interface Collected extends Removed {
  /** Functions that need images which have no name any more. */
  readonly kept: readonly ImageUse[];
}

/** Where nobody is known to use images. */
const NO_USES: ImageUses = async () => [];

/** Where images are stored if nobody says otherwise. */
export function defaultStoreFolder(): string {
  return join(defaultDataFolder(), 'images');
}

export class ImageStore {
  /** The servers whose functions may need its images. */
  readonly users: ImageUsers;
  readonly #blobs: Blobs;

  /** @param folder made when something is first put into it */
  constructor(readonly folder: string = defaultStoreFolder()) {
    this.#blobs = new Blobs(folder);
    this.users = new ImageUsers(folder);
  }

  /**
   * Puts an image in, under a name that may have been another image's before, or without one.
   * @returns whether anything changed
   * @throws HatcheryError IMAGE_INVALID, INVALID_ARGUMENT where the name is none, DATA_UNUSABLE
   */
  async put(image: WholeImage, name?: string): Promise<boolean> {
    if (name !== undefined) {
      checkImageName(name);
    }
    checkWhole(image, name ?? image.digest);
    return this.#changing(async (before) => {
      for (const bytes of [image.elf, image.config, image.manifest]) {
        await this.#blobs.write(bytes);
      }
      const isThere = ({ digest, ...entry }: Descriptor) =>
        digest === image.digest && (name === undefined || nameOf(entry) === name);
      if (before.some(isThere)) {
        return { result: false };
      }
      if (name === undefined) {
        return { result: true, after: [...before, manifestDescriptor(image.manifest, name)] };
      }
      const named = before.filter((entry) => nameOf(entry) !== undefined && nameOf(entry) !== name);
      const after = [...named, manifestDescriptor(image.manifest, name)];
      // Those that have lost their name stay until they are collected.
      const nameless = before
        .filter(({ digest }) => after.every((entry) => entry.digest !== digest))
        .map(({ annotations: _, ...entry }) => entry);
      return { result: true, after: [...after, ...nameless] };
    });
  }

  /**
   * All images, by name, those without one behind them.
   * @throws HatcheryError IMAGE_INVALID, DATA_UNUSABLE
   */
  async list(): Promise<StoredImage[]> {
    const images = await Promise.all(
      (await this.#entries()).map(async (entry) => (await this.#open(entry)).image),
    );
    // No name has this character.
    const order = ({ name, digest }: StoredImage) => name ?? `~${digest}`;
    return images.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /**
   * @param reference a name or a digest
   * @throws HatcheryError IMAGE_UNKNOWN, IMAGE_INVALID, DATA_UNUSABLE
   */
  async inspect(reference: string): Promise<StoredImage> {
    return (await this.#open(await this.#find(reference))).image;
  }

  /**
   * Whether there is one of this name or digest.
   * @throws HatcheryError DATA_UNUSABLE
   */
  async has(reference: string): Promise<boolean> {
    return (await this.#entries()).some((entry) => isMeant(reference, entry));
  }

  /**
   * An image with its code, all with the digests that they should have.
   * @throws HatcheryError IMAGE_UNKNOWN, IMAGE_INVALID, DATA_UNUSABLE
   */
  async read(reference: string): Promise<ReadImage> {
    const entry = await this.#find(reference);
    const { image, manifest, manifestBytes, configBytes } = await this.#open(entry);
    const elf = await this.#blob(manifest.layers[0], reference);
    const whole = {
      ...{ digest: entry.digest, manifest: manifestBytes, config: configBytes, elf },
    };
    return { ...image, whole };
  }

  /** An ELF file by its digest, for a build that made it before; `undefined`: it is not there. */
  async readCode(blob: Pick<Descriptor, 'digest' | 'size'>): Promise<Uint8Array | undefined> {
    return this.#blobs.read(blob).catch(() => undefined);
  }

  /**
   * Takes a name away, and the image with its last one; a digest takes the image away with all its
   * names. Its blobs stay until they are collected.
   * @throws HatcheryError IMAGE_UNKNOWN, IMAGE_IN_USE, DATA_UNUSABLE
   */
  async remove(reference: string, uses: ImageUses = NO_USES): Promise<void> {
    await this.#changing(async (before) => {
      const after = before.filter((entry) => !isMeant(reference, entry));
      if (after.length === before.length) {
        throw unknown(reference);
      }
      // They could not be started again.
      const orphaned = ({ image }: ImageUse) =>
        before.some((entry) => isMeant(image, entry)) &&
        !after.some((entry) => isMeant(image, entry));
      const users = (await uses()).filter(orphaned);
      if (users.length > 0) {
        throw inUse(reference, users);
      }
      return { result: undefined, after };
    });
  }

  /**
   * Does something that makes a server's functions need an image, so that nobody removes the image before
   * the server is known to need it. Where the store never had the image, that is all the same.
   * @param data the server's data folder
   * @throws HatcheryError IMAGE_MISSING, DATA_UNUSABLE, and what `work` throws
   */
  async using<Result>(
    reference: string,
    data: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (!(await this.has(reference))) {
      return work();
    }
    return this.#changing(async (entries) => {
      if (!entries.some((entry) => isMeant(reference, entry))) {
        throw new HatcheryError('IMAGE_MISSING', { image: reference });
      }
      await this.users.add(data);
      return { result: await work() };
    });
  }

  /**
   * Removes images without a name that nobody needs by their digests, and what no image has.
   * @throws HatcheryError DATA_UNUSABLE
   */
  async collect(uses: ImageUses = NO_USES): Promise<Collected> {
    return this.#changing(async (before) => {
      const used = await uses();
      const nameless = before.filter((entry) => nameOf(entry) === undefined);
      const kept = used.filter(({ image }) => nameless.some((entry) => isMeant(image, entry)));
      const needed = new Set(kept.map(({ image }) => image));
      const after = before.filter(
        (entry) => nameOf(entry) !== undefined || needed.has(entry.digest),
      );
      const removed = await this.#blobs.keepOnly(await this.#blobsOf(after));
      return { result: { images: before.length - after.length, ...removed, kept }, after };
    });
  }

  /**
   * Removes images that are neither used nor young, and what no image has and is not young.
   * @param isUsed also asked of those that have a name
   * @param before milliseconds since 1970: what was put or touched later is young
   * @throws HatcheryError DATA_UNUSABLE
   */
  async prune(isUsed: (digest: Digest) => boolean, before: number): Promise<Removed> {
    return this.#changing(async (entries) => {
      const after: Descriptor[] = [];
      for (const entry of entries) {
        if (isUsed(entry.digest) || (await this.#blobs.time(entry.digest)) > before) {
          after.push(entry);
        }
      }
      const removed = await this.#blobs.keepOnly(await this.#blobsOf(after), before);
      return { result: { images: entries.length - after.length, ...removed }, after };
    });
  }

  /** The digests of all images, also of those that are broken. @throws HatcheryError DATA_UNUSABLE */
  async digests(): Promise<readonly Digest[]> {
    return [...new Set((await this.#entries()).map(({ digest }) => digest))];
  }

  /** All that these images are made of. */
  async #blobsOf(entries: readonly Descriptor[]): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    for (const entry of entries) {
      used.add(entry.digest);
      // One that is broken keeps nothing else; whoever uses it is told.
      const manifest = await this.#blobs.read(entry).then(parseManifest, () => undefined);
      for (const { digest } of manifest ? [manifest.config, ...manifest.layers] : []) {
        used.add(digest);
      }
    }
    return used;
  }

  /** Changes the index, alone; it stays as it is where `change` gives none. */
  async #changing<Result>(
    change: (
      before: readonly Descriptor[],
    ) => Promise<{ readonly result: Result; readonly after?: readonly Descriptor[] }>,
  ): Promise<Result> {
    try {
      await mkdir(this.folder, { recursive: true, mode: FOLDER_MODE });
      return await alone(this.folder, async () => {
        await removeUnfinished(this.folder);
        const { result, after } = await change(await this.#entries());
        if (after !== undefined) {
          await writeAtomically(join(this.folder, LAYOUT_FILE), LAYOUT_TEXT);
          await writeAtomically(join(this.folder, INDEX_FILE), indexText(after));
        }
        return result;
      });
    } catch (cause) {
      if (cause instanceof HatcheryError) {
        throw cause;
      }
      throw this.#unusable((cause as Error).message, cause);
    }
  }

  /** What the index has; nothing where there is no store yet. */
  async #entries(): Promise<readonly Descriptor[]> {
    try {
      checkLayout(await readFile(join(this.folder, LAYOUT_FILE), 'utf8'));
      return parseIndex(await readFile(join(this.folder, INDEX_FILE), 'utf8'));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
        return [];
      }
      throw this.#unusable(`it is no OCI image layout: ${(cause as Error).message}`, cause);
    }
  }

  #unusable(reason: string, cause: unknown): HatcheryError {
    return new HatcheryError('DATA_UNUSABLE', { path: this.folder, reason }, { cause });
  }

  async #find(reference: string): Promise<Descriptor> {
    const found = (await this.#entries()).find((entry) => isMeant(reference, entry));
    if (found === undefined) {
      throw unknown(reference);
    }
    return found;
  }

  async #open(entry: Descriptor): Promise<{
    readonly image: StoredImage;
    readonly manifest: Manifest;
    readonly manifestBytes: Uint8Array;
    readonly configBytes: Uint8Array;
  }> {
    const name = nameOf(entry);
    const called = name ?? entry.digest;
    const manifestBytes = await this.#blob(entry, called);
    const manifest = read(called, parseManifest, manifestBytes);
    const configBytes = await this.#blob(manifest.config, called);
    const config = read(called, parseConfig, configBytes);
    const [{ size }] = manifest.layers;
    return {
      image: { name, digest: entry.digest, size, config },
      ...{ manifest, manifestBytes, configBytes },
    };
  }

  async #blob(descriptor: Descriptor, called: string): Promise<Uint8Array> {
    return this.#blobs.read(descriptor).catch((cause: unknown) => {
      throw invalid(called, (cause as Error).message, cause);
    });
  }
}

function nameOf(entry: Pick<Descriptor, 'annotations'>): string | undefined {
  return entry.annotations?.[NAME_ANNOTATION];
}

function isMeant(reference: string, entry: Descriptor): boolean {
  return isDigest(reference) ? entry.digest === reference : nameOf(entry) === reference;
}

/** An image comes from a build or from somebody else's store; either may be wrong. */
function checkWhole({ digest, manifest, config, elf }: WholeImage, called: string): void {
  const { config: configEntry, layers } = read(called, parseManifest, manifest);
  const parts = [
    [digest, manifest],
    [configEntry.digest, config],
    [layers[0].digest, elf],
  ] as const;
  if (parts.some(([expected, bytes]) => digestOf(bytes) !== expected)) {
    throw invalid(called, 'its parts do not have the digests of its manifest');
  }
  const { abiVersion } = read(called, parseConfig, config);
  if (abiVersion !== ABI_VERSION) {
    const reason = `it speaks ABI version ${abiVersion}, this host speaks ${ABI_VERSION}`;
    throw invalid(called, reason);
  }
  parseElf(elf, called);
}

function read<Result>(
  called: string,
  parse: (bytes: Uint8Array) => Result,
  bytes: Uint8Array,
): Result {
  try {
    return parse(bytes);
  } catch (cause) {
    throw invalid(called, `it is no image of Hatchery: ${(cause as Error).message}`, cause);
  }
}

function invalid(image: string, reason: string, cause?: unknown): HatcheryError {
  return new HatcheryError('IMAGE_INVALID', { image, reason }, { cause });
}

function inUse(image: string, users: readonly ImageUse[]): HatcheryError {
  const functions = [...new Set(users.map((user) => user.function))].join(', ');
  const data = [...new Set(users.map((user) => user.data))].join(', ');
  return new HatcheryError('IMAGE_IN_USE', { image, functions, data });
}

function unknown(image: string): HatcheryError {
  return new HatcheryError('IMAGE_UNKNOWN', { image });
}
