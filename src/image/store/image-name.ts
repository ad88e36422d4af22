/** How images of the store are called. */
import { HatcheryError } from '../../errors.js';

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

/** Lower-case letters, digits and hyphens; no path, and no digest. */
export const IMAGE_NAME_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$';
/** A name, or the digest of a stored image. */
export const IMAGE_REFERENCE_PATTERN = '^([a-z0-9][a-z0-9-]{0,62}|sha256:[0-9a-f]{64})$';

export const DIGEST_PATTERN = '^sha256:[0-9a-f]{64}$';

const NAME = new RegExp(IMAGE_NAME_PATTERN);
const DIGEST = new RegExp(DIGEST_PATTERN);

export function isDigest(reference: string): reference is Digest {
  return DIGEST.test(reference);
}

/** @throws HatcheryError INVALID_ARGUMENT */
export function checkImageName(name: string): void {
  if (!NAME.test(name)) {
    throw new HatcheryError('INVALID_ARGUMENT', {
      problem:
        `${JSON.stringify(name)} is not a name for an image: give 1 to 63 lower-case letters, digits ` +
        'and hyphens',
    });
  }
}
