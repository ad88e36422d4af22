/**
 * Images that clients have sent, in a store of the server's own: an image is there once its manifest came,
 * passed the checks of the user's store, and all that it names was there.
 */
import { join } from 'node:path';
import { HatcheryError } from '../../errors.js';
import { overloaded } from '../../fabric/places.js';
import { Blobs } from '../../image/store/blobs.js';
import { ImageStore, type ReadImage, type StoredImage } from '../../image/store/image-store.js';
import {
  type Descriptor,
  type Digest,
  digestOf,
  type Manifest,
  parseManifest,
  type WholeImage,
} from '../../image/store/layout.js';
import { Incoming, onDisk } from './incoming.js';
import { CONFIG_BYTES, MOST_BLOBS, UPLOADS_AT_ONCE, type UploadLimits } from './upload-limits.js';

export type BlobFacts = Pick<Descriptor, 'digest' | 'size'>;

/** Of the data folder. */
const FOLDER = 'uploads';

export class Uploads {
  readonly limits: UploadLimits;
  readonly #store: ImageStore;
  readonly #blobs: Blobs;
  readonly #incoming: Incoming;
  /** The digests of images that functions use, in any version that is kept. */
  readonly #used: () => Promise<ReadonlySet<string>>;
  #kept = { blobs: 0, bytes: 0 };
  /** Of blobs that are coming. */
  #coming = { blobs: 0, bytes: 0 };
  /** One image after the other is checked: each is in memory meanwhile. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    folder: string,
    used: () => Promise<ReadonlySet<string>>,
    limits: UploadLimits,
  ) {
    this.limits = limits;
    this.#store = new ImageStore(folder);
    this.#blobs = new Blobs(folder);
    this.#incoming = new Incoming(join(folder, 'incoming'));
    this.#used = used;
  }

  /** @throws HatcheryError DATA_UNUSABLE */
  static async open(
    data: string,
    used: () => Promise<ReadonlySet<string>>,
    limits: UploadLimits,
  ): Promise<Uploads> {
    const uploads = new Uploads(join(data, FOLDER), used, limits);
    await uploads.#incoming.clear();
    await uploads.#measure();
    return uploads;
  }

  /** What all of them take, in bytes. */
  get bytes(): number {
    return this.#kept.bytes;
  }

  /**
   * Which of these are not here, or not in their size; the others are kept for a while from now on.
   * @throws HatcheryError UPLOAD_TOO_LARGE, UPLOADS_FULL where they need not be sent
   */
  async missing(blobs: readonly BlobFacts[]): Promise<Digest[]> {
    const missing = new Map<Digest, number>();
    for (const blob of blobs) {
      this.#checkSize(blob.size);
      if (await this.#blobs.has(blob)) {
        await this.#blobs.touch(blob.digest);
      } else {
        missing.set(blob.digest, blob.size);
      }
    }
    const bytes = [...missing.values()].reduce((sum, size) => sum + size, 0);
    await this.#makeRoom({ blobs: missing.size, bytes });
    return [...missing.keys()];
  }

  /**
   * Takes a blob that is not looked at yet, and lasts.
   * @param length where the sender says it
   * @returns its size
   * @throws HatcheryError UPLOAD_TOO_LARGE, UPLOADS_FULL, UPLOAD_INVALID, OVERLOADED, DATA_UNUSABLE
   */
  async receive(digest: Digest, source: AsyncIterable<Uint8Array>, length = 0): Promise<number> {
    this.#checkSize(length);
    if (this.#coming.blobs >= UPLOADS_AT_ONCE) {
      throw overloaded(`${UPLOADS_AT_ONCE} blobs are coming already`);
    }
    this.#coming.blobs += 1;
    let size = 0;
    const count = (bytes: number) => {
      size += bytes;
      this.#coming.bytes += bytes;
      this.#checkSize(size);
      this.#checkRoom({ blobs: 0, bytes: 0 });
    };
    try {
      await this.#makeRoom({ blobs: 0, bytes: length });
      await this.#incoming.receive(digest, source, count, (path) =>
        this.#blobs.adopt(path, digest),
      );
      await this.#measure();
      return size;
    } finally {
      this.#coming.blobs -= 1;
      this.#coming.bytes -= size;
    }
  }

  /**
   * Makes an image of blobs that came before.
   * @throws HatcheryError UPLOAD_INVALID, UPLOAD_TOO_LARGE, UPLOADS_FULL, BLOBS_MISSING, DATA_UNUSABLE
   */
  async accept(digest: Digest, text: string): Promise<StoredImage> {
    const manifest = Buffer.from(text);
    if (digestOf(manifest) !== digest) {
      throw refused(digest, 'it has another digest, so it was cut or changed');
    }
    const { config, layers } = manifestOf(digest, manifest);
    this.#checkSize(layers[0].size);
    if (config.size > CONFIG_BYTES) {
      throw refused(digest, `its configuration has more than ${CONFIG_BYTES} bytes`);
    }
    return this.#alone(async () => {
      const [configBytes, elf] = await this.#readAll([config, layers[0]]);
      return this.#put({
        ...{ digest, manifest, config: configBytes as Uint8Array, elf: elf as Uint8Array },
      });
    });
  }

  /** Keeps an image that this process has. @throws HatcheryError as `accept` */
  async add(image: WholeImage): Promise<StoredImage> {
    this.#checkSize(image.elf.length);
    return this.#alone(() => this.#put(image));
  }

  async has(digest: Digest): Promise<boolean> {
    return this.#store.has(digest);
  }

  /** Who reads one may be about to deploy it. @throws HatcheryError IMAGE_UNKNOWN, IMAGE_INVALID */
  async read(digest: Digest): Promise<ReadImage> {
    await this.#blobs.touch(digest);
    return this.#store.read(digest);
  }

  /** Those that can be read. @throws HatcheryError DATA_UNUSABLE */
  async list(): Promise<StoredImage[]> {
    const digests = await onDisk(() => this.#store.digests());
    const images = await Promise.all(
      digests.map((digest) => this.#store.inspect(digest).catch(() => undefined)),
    );
    return images.filter((image) => image !== undefined);
  }

  /**
   * Removes what nothing needs and has been there for a while.
   * @throws HatcheryError DATA_UNUSABLE, also where it cannot be told what functions use
   */
  async collect(): Promise<void> {
    if (this.#kept.blobs > 0) {
      const used = await this.#used();
      const before = Date.now() - this.limits.keptMilliseconds;
      await onDisk(() => this.#store.prune((digest) => used.has(digest), before));
      await this.#measure();
    }
  }

  async #put(image: WholeImage): Promise<StoredImage> {
    const { digest, manifest } = image;
    await this.#makeRoom({ blobs: 1, bytes: manifest.length });
    try {
      await onDisk(() => this.#store.put(image));
    } catch (cause) {
      const { code, details } = HatcheryError.from(cause);
      throw code === 'IMAGE_INVALID' ? refused(digest, String(details.reason), cause) : cause;
    }
    await this.#blobs.touch(digest);
    await this.#measure();
    return this.#store.inspect(digest);
  }

  /** What was changed on the disk is as good as missing, and can be sent again. */
  async #readAll(blobs: readonly BlobFacts[]): Promise<Uint8Array[]> {
    const missing: Digest[] = [];
    const read: Uint8Array[] = [];
    for (const blob of blobs) {
      const isThere = await this.#blobs.has(blob);
      const bytes = isThere ? await this.#blobs.read(blob).catch(() => undefined) : undefined;
      if (bytes === undefined) {
        missing.push(blob.digest);
      } else {
        read.push(bytes);
      }
      if (isThere && bytes === undefined) {
        await onDisk(() => this.#blobs.remove(blob.digest));
      }
    }
    if (missing.length > 0) {
      throw new HatcheryError('BLOBS_MISSING', { digests: missing });
    }
    return read;
  }

  #checkSize(bytes: number): void {
    const limit = this.limits.imageBytes;
    if (bytes > limit) {
      throw new HatcheryError('UPLOAD_TOO_LARGE', { limit });
    }
  }

  /** As #checkRoom, once what nothing needs is gone. */
  async #makeRoom(more: { readonly blobs: number; readonly bytes: number }): Promise<void> {
    try {
      this.#checkRoom(more);
    } catch {
      await this.collect();
      this.#checkRoom(more);
    }
  }

  #checkRoom(more: { readonly blobs: number; readonly bytes: number }): void {
    const { totalBytes } = this.limits;
    const bytes = this.#kept.bytes + this.#coming.bytes + more.bytes;
    const blobs = this.#kept.blobs + this.#coming.blobs + more.blobs;
    if (bytes > totalBytes || blobs > MOST_BLOBS) {
      const reason =
        bytes > totalBytes
          ? `uploaded images may take ${totalBytes} bytes, and ${this.#kept.bytes} are taken`
          : `uploaded images may be ${MOST_BLOBS} files`;
      throw new HatcheryError('UPLOADS_FULL', { reason });
    }
  }

  async #measure(): Promise<void> {
    this.#kept = await this.#blobs.total();
  }

  async #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function manifestOf(digest: Digest, bytes: Uint8Array): Manifest {
  try {
    return parseManifest(bytes);
  } catch (cause) {
    throw refused(digest, `it is no image of Hatchery: ${(cause as Error).message}`, cause);
  }
}

function refused(digest: Digest, reason: string, cause?: unknown): HatcheryError {
  return new HatcheryError('UPLOAD_INVALID', { digest, reason }, { cause });
}
