/** Images that nobody had to build: the image `hello`, with a configuration of one's own. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { composeImage, type ImageConfig, type WholeImage } from '../../src/image/store/layout.js';

export const HELLO_ELF = readFileSync(
  fileURLToPath(new URL('../../images/hello.elf', import.meta.url)),
);
export const ZEROS = `sha256:${'0'.repeat(64)}` as const;

/** @param flag in its provenance, so that images differ. */
export function imageOf(
  flag: string,
  limits: ImageConfig['limits'] = {},
  more: Partial<ImageConfig> = {},
): WholeImage {
  const provenance = {
    tools: { gcc: '12.2.0' },
    ...{ flags: ['-O2'], givenFlags: [flag], sdk: ZEROS },
    sources: [{ path: 'main.c', digest: ZEROS }],
  };
  const config = { abiVersion: 1, kind: 'c' as const, entry: '0x4000000', limits, provenance };
  return composeImage({ ...config, ...more }, HELLO_ELF);
}
