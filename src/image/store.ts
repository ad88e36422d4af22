/** Finds the built images, reads them and checks them against their checksums. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HatcheryError } from '../errors.js';
import { type ParsedImage, parseElf } from './elf.js';

/** An image's ELF file, read and not yet parsed: plain data, which may go to another process. */
export interface ImageFile {
  readonly name: string;
  /** Where it was read from; for messages only. */
  readonly path: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array;
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
export class ImageStore {
  /** By path. */
  readonly #read = new Map<string, WeakRef<ImageFile>>();

  constructor(readonly folder: string = BUILT_IMAGES) {}

  /**
   * @param image the name of a built image (`js`), or the path of an ELF file: absolute, or with a
   *   slash and then relative to the working directory.
   * @throws HatcheryError IMAGE_MISSING, IMAGE_INVALID where the checksum is missing or wrong
   */
  async read(image: string): Promise<ImageFile> {
    const byPath = isAbsolute(image) || image.includes(sep);
    const path = byPath ? resolve(image) : resolve(this.folder, `${image}.elf`);
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
    const known = this.#read.get(path)?.deref();
    if (known?.digest === digest) {
      return known;
    }
    const file = { name: basename(path, '.elf'), path, digest, bytes };
    this.#read.set(path, new WeakRef(file));
    return file;
  }
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
