/** The guest SDK of this package: what images are built with, and the scripts that do so. */
import { lstatSync, readdirSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
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

interface SdkFile {
  /** Relative. */
  readonly path: string;
  readonly isProgram: boolean;
  /** What changes where the file does. */
  readonly state: string;
}

export class Sdk {
  readonly #files: readonly SdkFile[];

  private constructor(
    readonly folder: string,
    files: readonly SdkFile[],
  ) {
    this.#files = files;
  }

  /** @throws HatcheryError BUILD_TOOLS_MISSING */
  static async open(folder = process.env.HATCHERY_SDK ?? BUILT_SDK): Promise<Sdk> {
    try {
      return new Sdk(folder, filesOf(folder));
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

  /** Tells it from another on this machine, without reading the megabytes that it has. */
  get identity(): Digest {
    return digestOf(
      [this.folder, ...this.#files.map(({ path, state }) => `${path} ${state}`)].join('\n'),
    );
  }

  /** Of all that is in it: the same wherever it is. */
  async digest(): Promise<Digest> {
    const lines = await Promise.all(
      this.#files.map(async ({ path, isProgram }) => {
        const digest = digestOf(await readFile(join(this.folder, path)));
        return `${path} ${isProgram ? 'program' : 'file'} ${digest}`;
      }),
    );
    return digestOf(lines.join('\n'));
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

/** All of them, sorted: some hundreds, which are looked at sooner than promises of them are made. */
function filesOf(folder: string, below = ''): SdkFile[] {
  return readdirSync(join(folder, below))
    .sort()
    .flatMap((name) => {
      const path = join(below, name);
      const facts = lstatSync(join(folder, path));
      if (facts.isDirectory()) {
        return filesOf(folder, path);
      }
      const isProgram = (facts.mode & 0o100) !== 0;
      return [{ path, isProgram, state: `${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}` }];
    });
}
