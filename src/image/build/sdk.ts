/** The guest SDK of this package: what images are built with, and the scripts that do so. */
import { cp, lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HatcheryError } from '../../errors.js';
import { isReachable } from '../../supervisor/reachable.js';
import type { User } from '../../supervisor/user.js';
import { type Digest, digestOf } from '../store/layout.js';

/**
 * Where `npm run build:images` puts it; a package has it at the same place. Another one can be named by
 * HATCHERY_SDK, as addons can by HATCHERY_ADDONS.
 */
const BUILT_SDK = fileURLToPath(new URL('../../../sdk', import.meta.url));

export class Sdk {
  private constructor(
    readonly folder: string,
    /** Of all files that it has. */
    readonly digest: Digest,
  ) {}

  /** @throws HatcheryError BUILD_TOOLS_MISSING */
  static async open(folder = process.env.HATCHERY_SDK ?? BUILT_SDK): Promise<Sdk> {
    try {
      return new Sdk(folder, digestOf((await describe(folder)).join('\n')));
    } catch (cause) {
      throw new HatcheryError(
        'BUILD_TOOLS_MISSING',
        {
          reason: `there is no guest SDK in ${folder}`,
          remedy: 'Run `npm run build:images`; a package brings it: install it again.',
        },
        { cause },
      );
    }
  }

  /**
   * The folder that a user can read: this one, or a copy.
   * @param copy where a copy may be made
   */
  async reachableBy(user: User | undefined, copy: string): Promise<string> {
    if (user === undefined || (await isReachable(this.folder))) {
      return this.folder;
    }
    await cp(this.folder, copy, { recursive: true, dereference: true });
    return copy;
  }
}

/** A line for each file: its path, whether it is a program, and its digest. */
async function describe(folder: string, below = ''): Promise<string[]> {
  const lines: string[] = [];
  for (const name of (await readdir(join(folder, below))).sort()) {
    const path = join(below, name);
    const facts = await lstat(join(folder, path));
    if (facts.isDirectory()) {
      lines.push(...(await describe(folder, path)));
    } else {
      const digest = digestOf(await readFile(join(folder, path)));
      lines.push(`${path} ${(facts.mode & 0o100) !== 0 ? 'program' : 'file'} ${digest}`);
    }
  }
  return lines;
}
