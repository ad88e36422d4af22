/** The program that esbuild is, where a user without rights can run it. */
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isReachable } from '../../supervisor/reachable.js';
import type { User } from '../../supervisor/user.js';

export class EsbuildProgram {
  readonly path: string;
  readonly #copyFolder: string | undefined;

  private constructor(path: string, copyFolder: string | undefined) {
    this.path = path;
    this.#copyFolder = copyFolder;
  }

  /**
   * @param user who runs it; `undefined`: who runs this.
   * @param path default: where the package has it.
   */
  static async find(user: User | undefined, path = installedAt()): Promise<EsbuildProgram> {
    if (user === undefined || (await isReachable(path))) {
      return new EsbuildProgram(path, undefined);
    }
    // Packages below /root, say, are out of that user's reach.
    const folder = await mkdtemp(join(tmpdir(), 'hatchery-esbuild-'));
    const copy = join(folder, 'esbuild');
    await copyFile(path, copy);
    await chmod(copy, 0o755);
    await chmod(folder, 0o755);
    return new EsbuildProgram(copy, folder);
  }

  async close(): Promise<void> {
    if (this.#copyFolder !== undefined) {
      await rm(this.#copyFolder, { recursive: true, force: true });
    }
  }
}

function installedAt(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('esbuild'));
  return require.resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
}
