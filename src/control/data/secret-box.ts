/** Encrypts secrets at rest: AES-256-GCM, with a key that is not beside them unless the user wants so. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../atomic-file.js';
import { HatcheryError } from '../../errors.js';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_FILE = 'key';
/** The variable that holds the key, for those who keep it elsewhere than in a file. */
export const KEY_VARIABLE = 'HATCHERY_KEY';

export class SecretBox {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  /**
   * Takes the key from the environment variable HATCHERY_KEY (64 hexadecimal digits), which is removed
   * from `environment`, so that no child inherits it; else from the file `key` in `folder`, which is
   * made where it is missing.
   * @throws HatcheryError DATA_UNUSABLE where the key is none, or others may read its file
   */
  static async open(folder: string, environment: NodeJS.ProcessEnv): Promise<SecretBox> {
    const given = environment[KEY_VARIABLE];
    delete environment[KEY_VARIABLE];
    if (given !== undefined) {
      return new SecretBox(parseKey(given, `the variable ${KEY_VARIABLE}`));
    }
    const path = join(folder, KEY_FILE);
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined) {
      const key = randomBytes(KEY_BYTES);
      await writeAtomically(path, `${key.toString('hex')}\n`);
      return new SecretBox(key);
    }
    if (!stats.isFile() || (stats.mode & 0o077) !== 0) {
      throw unusable(path, 'others than its owner can read it; run chmod 600 on it');
    }
    return new SecretBox(parseKey(await readFile(path, 'latin1'), path));
  }

  /** @param place where the secret belongs; what is sealed opens nowhere else. */
  seal(secret: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(Buffer.from(place));
    const sealed = [nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64');
  }

  /** @throws HatcheryError DATA_UNUSABLE with another key, in another place, or where it was changed */
  open(sealed: string, place: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const end = bytes.length - TAG_BYTES;
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(end));
      return Buffer.concat([
        decipher.update(bytes.subarray(NONCE_BYTES, end)),
        decipher.final(),
      ]).toString('utf8');
    } catch (cause) {
      const reason = 'it was sealed with another key, or changed since';
      throw new HatcheryError('DATA_UNUSABLE', { path: place, reason }, { cause });
    }
  }
}

function parseKey(text: string, where: string): Buffer {
  const trimmed = text.trim();
  if (!/^[0-9a-f]{64}$/i.test(trimmed)) {
    throw unusable(where, `it is no key: give ${2 * KEY_BYTES} hexadecimal digits`);
  }
  return Buffer.from(trimmed, 'hex');
}

function unusable(path: string, reason: string): HatcheryError {
  return new HatcheryError('DATA_UNUSABLE', { path, reason });
}
