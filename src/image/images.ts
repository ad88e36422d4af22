/** Finds images by what users call them: those of the package, those of the store, and files. */
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { basename, isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HatcheryError } from '../errors.js';
import { type ParsedImage, parseElf } from './elf.js';
import { type Digest, isDigest } from './store/image-name.js';
import { ImageStore, type ReadImage } from './store/image-store.js';

/** An image's ELF file, read and not yet parsed: plain data, which may go to another process. */
export interface ImageFile {
  readonly name: string;
  /** Where it was read from; for messages only. */
  readonly path: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  /** Limits of functions that say none of their own, as the image was built with them. */
  readonly limits?: { readonly memoryBytes?: number };
}

/** More images that are found by their digests. */
export interface ImageSource {
  has(digest: Digest): Promise<boolean>;
  /** @throws HatcheryError IMAGE_UNKNOWN, IMAGE_INVALID, DATA_UNUSABLE */
  read(digest: Digest): Promise<ReadImage>;
}

/** A bootable unikernel: what its ELF file holds, and who it is. */
export interface Image {
  readonly name: string;
  /** SHA-256 of the ELF file, hexadecimal. */
  readonly digest: string;
  readonly elf: ParsedImage;
}

/** Where `npm run build:images` puts them; a package has them at the same place. */
const BUILT_IMAGES = fileURLToPath(new URL('../../images/', import.meta.url));

/**
 * Reads an image whenever it is asked for it, as a file may be built anew at any time; as long as it is
 * the same, all who use it share its bytes.
 */
export class Images {
  /** By path. */
  readonly #read = new Map<string, WeakRef<ImageFile>>();

  #opened: ImageStore | undefined;
  readonly #first: ImageSource | undefined;

  /**
   * @param store default: the user's, looked for when it is needed: a worker may have no home.
   * @param first where digests are looked up before that
   */
  constructor(
    readonly folder: string = BUILT_IMAGES,
    store?: ImageStore,
    first?: ImageSource,
  ) {
    this.#opened = store;
    this.#first = first;
  }

  get #store(): ImageStore {
    this.#opened ??= new ImageStore();
    return this.#opened;
  }

  /**
   * @param image the name of an image of this package (`js`) or of the store, the digest of a stored
   *   one, or the path of an ELF file: absolute, or with a slash and then relative to the working
   *   directory.
   * @throws HatcheryError IMAGE_MISSING, IMAGE_INVALID where a checksum is missing or wrong,
   *   DATA_UNUSABLE
   */
  async read(image: string): Promise<ImageFile> {
    if (isAbsolute(image) || image.includes(sep)) {
      return this.#readFile(resolve(image), true);
    }
    if (isDigest(image) && (await this.#first?.has(image))) {
      return this.#readStored(image, this.#first as ImageSource);
    }
    const path = resolve(this.folder, `${image}.elf`);
    // Nobody can put another image into the place of one of the package.
    const isStored = isDigest(image) || (!(await exists(path)) && (await this.#store.has(image)));
    return isStored ? this.#readStored(image, this.#store) : this.#readFile(path, false);
  }

  /** Whether a name is that of an image of this package. */
  async isBuiltIn(name: string): Promise<boolean> {
    return exists(resolve(this.folder, `${name}.elf`));
  }

  async #readStored<Reference extends string>(
    image: Reference,
    store: { read(reference: Reference): Promise<ReadImage> },
  ): Promise<ImageFile> {
    const { name, digest, config, whole } = await store
      .read(image)
      .catch((cause: unknown): ReadImage => {
        const known = HatcheryError.from(cause);
        throw known.code === 'IMAGE_UNKNOWN'
          ? new HatcheryError('IMAGE_MISSING', { image }, { cause })
          : known;
      });
    return this.#shared({
      name: name ?? digest,
      path: digest,
      digest: createHash('sha256').update(whole.elf).digest('hex'),
      bytes: whole.elf,
      limits: config.limits as NonNullable<ImageFile['limits']>,
    });
  }

  async #readFile(path: string, byPath: boolean): Promise<ImageFile> {
    const [bytes, checksum] = await Promise.all([
      readFile(path).catch((cause: unknown) => {
        throw new HatcheryError('IMAGE_MISSING', { image: path }, { cause });
      }),
      readFile(`${path}.sha256`, 'latin1').catch(() => undefined),
    ]);
    const digest = createHash('sha256').update(bytes).digest('hex');
    // Where the user named the file, a checksum beside it is checked but need not be there.
    if (checksum === undefined && !byPath) {
      throw new HatcheryError('IMAGE_INVALID', { image: path, reason: 'its checksum is missing' });
    }
    if (checksum !== undefined && checksum.slice(0, digest.length) !== digest) {
      throw new HatcheryError('IMAGE_INVALID', {
        image: path,
        reason: 'it does not have the checksum that it was built with',
      });
    }
    return this.#shared({ name: basename(path, '.elf'), path, digest, bytes });
  }

  /** The same object for the same file. */
  #shared(file: ImageFile): ImageFile {
    const known = this.#read.get(file.path)?.deref();
    if (known?.digest === file.digest && known.name === file.name) {
      return known;
    }
    this.#read.set(file.path, new WeakRef(file));
    return file;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Parses each image once for as long as anything uses it. */
export class ParsedImages {
  readonly #images = new Map<string, WeakRef<Image>>();

  /** @throws HatcheryError IMAGE_INVALID */
  parse(file: ImageFile): Image {
    const known = this.#images.get(file.digest)?.deref();
    if (known !== undefined) {
      return known;
    }
    const image = { name: file.name, digest: file.digest, elf: parseElf(file.bytes, file.path) };
    for (const [digest, parsed] of this.#images) {
      if (parsed.deref() === undefined) {
        this.#images.delete(digest);
      }
    }
    this.#images.set(file.digest, new WeakRef(image));
    return image;
  }
}
