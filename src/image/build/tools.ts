/** The programs that images are built with, and which ones this machine has. */
import { realpath, stat } from 'node:fs/promises';
import { HatcheryError } from '../../errors.js';

/** Debian's packages of them. */
const PACKAGES = {
  gcc: 'gcc',
  'musl-gcc': 'musl-tools',
  ld: 'binutils',
  wasm2c: 'wabt',
  wat2wasm: 'wabt',
} as const;

export type Tool = keyof typeof PACKAGES;

/** As in the sandbox. */
const FOLDER = '/usr/bin';

/**
 * What tells one installation of each from another: the file that it is, its size, and when it was
 * changed. Asking them for their versions would take longer than a build that was made before.
 * @throws HatcheryError BUILD_TOOLS_MISSING with the packages to install
 */
export async function identifyTools(
  tools: readonly Tool[],
): Promise<Readonly<Record<string, string>>> {
  const missing: Tool[] = [];
  const identities = await Promise.all(
    tools.map(async (tool) => {
      try {
        const path = await realpath(`${FOLDER}/${tool}`);
        const { size, mtimeMs } = await stat(path);
        return [tool, `${path} ${size} ${mtimeMs}`] as const;
      } catch {
        missing.push(tool);
        return [tool, ''] as const;
      }
    }),
  );
  if (missing.length > 0) {
    const packages = new Set(missing.map((tool) => PACKAGES[tool]));
    throw new HatcheryError('BUILD_TOOLS_MISSING', {
      reason: `there is no ${missing.join(', no ')} in ${FOLDER}`,
      remedy: `Install it: apt-get install ${[...packages].join(' ')}`,
    });
  }
  return Object.fromEntries(identities);
}
