/** The programs that images are built with, and which versions of them this machine has. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HatcheryError } from '../../errors.js';

const COMMANDS = {
  gcc: { argument: '-dumpfullversion', package: 'gcc' },
  'musl-gcc': { argument: '-dumpfullversion', package: 'musl-tools' },
  ld: { argument: '--version', package: 'binutils' },
  wasm2c: { argument: '--version', package: 'wabt' },
  wat2wasm: { argument: '--version', package: 'wabt' },
} as const;

export type Tool = keyof typeof COMMANDS;

/** As in the sandbox. */
const FOLDER = '/usr/bin';

/**
 * The first line that each says of its version.
 * @throws HatcheryError BUILD_TOOLS_MISSING with the packages to install
 */
export async function toolVersions(tools: readonly Tool[]): Promise<Record<string, string>> {
  const missing: string[] = [];
  const versions = await Promise.all(
    tools.map(async (tool) => {
      try {
        const { stdout } = await promisify(execFile)(`${FOLDER}/${tool}`, [
          COMMANDS[tool].argument,
        ]);
        return [tool, stdout.split('\n')[0]?.trim() ?? ''];
      } catch {
        missing.push(tool);
        return [tool, ''];
      }
    }),
  );
  if (missing.length > 0) {
    const packages = new Set(missing.map((tool) => COMMANDS[tool as Tool].package));
    throw new HatcheryError('BUILD_TOOLS_MISSING', {
      reason: `there is no ${missing.join(', no ')} in ${FOLDER}`,
      remedy: `Install it: apt-get install ${[...packages].join(' ')}`,
    });
  }
  return Object.fromEntries(versions) as Record<string, string>;
}
