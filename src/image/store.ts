/** Finds the built images, checks them and reads them. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HatcheryError } from '../errors.js';
import { type ParsedImage, parseElf } from './elf.js';

/** A bootable unikernel: what its ELF file holds, and who it is. */
export interface Image {
  readonly name: string;
  /** SHA-256 of the ELF file, hexadecimal. */
  readonly digest: string;
  readonly elf: ParsedImage;
}

/** Where `npm run build:images` puts them; a package has them at the same place. */
const BUILT_IMAGES = fileURLToPath(new URL('../../images/', import.meta.url));

/** Reads each image once for as long as the store lives. */
export class ImageStore {
  readonly #images = new Map<string, Promise<Image>>();

  constructor(readonly folder: string = BUILT_IMAGES) {}

  /**
   * @param image the name of a built image (`js`), or the path of an ELF file: absolute, or with a
   *   slash and then relative to the working directory.
   * @throws HatcheryError IMAGE_MISSING, IMAGE_INVALID
   */
  async read(image: string): Promise<Image> {
    const path = image.includes(sep) ? resolve(image) : resolve(this.folder, `${image}.elf`);
    let reading = this.#images.get(path);
    if (reading === undefined) {
      reading = readImage(path, isAbsolute(image) || image.includes(sep));
      this.#images.set(path, reading);
      // A failure is not remembered: the image may be built in the meantime.
      reading.catch(() => this.#images.delete(path));
    }
    return reading;
  }
}

/** @param byPath the user named the file; a checksum beside it is checked but need not be there. */
async function readImage(path: string, byPath: boolean): Promise<Image> {
  const [bytes, checksum] = await Promise.all([
    readFile(path).catch((cause: unknown) => {
      throw new HatcheryError('IMAGE_MISSING', { image: path }, { cause });
    }),
    readFile(`${path}.sha256`, 'latin1').catch(() => undefined),
  ]);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (checksum === undefined && !byPath) {
    throw new HatcheryError('IMAGE_INVALID', { image: path, reason: 'its checksum is missing' });
  }
  if (checksum !== undefined && checksum.slice(0, digest.length) !== digest) {
    throw new HatcheryError('IMAGE_INVALID', {
      image: path,
      reason: 'it does not have the checksum that it was built with',
    });
  }
  return { name: basename(path, '.elf'), digest, elf: parseElf(bytes, path) };
}
