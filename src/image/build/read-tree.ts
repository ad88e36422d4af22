/** Reads the files that go into a build, and none that a link leads to elsewhere. */
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { HatcheryError } from '../../errors.js';

export interface ReadFile {
  /** Relative to the folder, with `/` between its parts. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly executable: boolean;
}

/** Of one folder, or one build. */
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_FILES = 50_000;
const MOST_LEVELS = 64;

/**
 * All files of a folder, those in its folders included, sorted. A link is followed where it leads to a
 * file in the same folder; others are refused, as are devices, sockets and pipes.
 * @throws HatcheryError INVALID_ARGUMENT
 */
export async function readTree(folder: string): Promise<ReadFile[]> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw invalid(`${folder} cannot be read: ${(cause as Error).message}`, cause);
  });
  const tree = new Tree(root);
  try {
    await tree.add('', 0);
  } catch (cause) {
    if (cause instanceof HatcheryError) {
      throw cause;
    }
    throw invalid(`${folder} cannot be read: ${(cause as Error).message}`, cause);
  }
  return tree.files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * One file, which may be a link.
 * @throws HatcheryError INVALID_ARGUMENT
 */
export async function readInput(path: string): Promise<Omit<ReadFile, 'path'>> {
  try {
    return await readRegular(await realpath(path), path, MOST_BYTES);
  } catch (cause) {
    if (cause instanceof HatcheryError) {
      throw cause;
    }
    throw invalid(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

class Tree {
  readonly files: ReadFile[] = [];
  readonly #root: string;
  #bytes = 0;

  /** @param root absolute, without links */
  constructor(root: string) {
    this.#root = root;
  }

  async add(below: string, level: number): Promise<void> {
    if (level > MOST_LEVELS) {
      throw invalid(`${this.#root} has folders in each other, more than ${MOST_LEVELS} levels`);
    }
    const folder = join(this.#root, below);
    for (const name of (await readdir(folder)).sort()) {
      const path = below === '' ? name : `${below}/${name}`;
      const absolute = join(folder, name);
      const facts = await lstat(absolute);
      if (facts.isDirectory()) {
        await this.add(path, level + 1);
      } else {
        const target = facts.isSymbolicLink() ? await this.#targetOf(absolute) : absolute;
        const file = await readRegular(target, absolute, MOST_BYTES - this.#bytes);
        this.#bytes += file.bytes.length;
        this.files.push({ path, ...file });
        if (this.files.length > MOST_FILES) {
          throw invalid(`${this.#root} has more than ${MOST_FILES} files`);
        }
      }
    }
  }

  async #targetOf(link: string): Promise<string> {
    const target = await realpath(link).catch((cause: unknown) => {
      throw invalid(`the link ${link} leads nowhere`, cause);
    });
    if (!target.startsWith(`${this.#root}${sep}`)) {
      throw invalid(`the link ${link} leads out of ${this.#root}`);
    }
    return target;
  }
}

/** @param path without links. @param called in messages */
async function readRegular(
  path: string,
  called: string,
  mostBytes: number,
): Promise<Omit<ReadFile, 'path'>> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) {
      throw invalid(`${called} is neither a file nor a folder`);
    }
    if (facts.size > mostBytes) {
      throw invalid(`with ${called}, there are more than ${MOST_BYTES} bytes`);
    }
    return { bytes: await file.readFile(), executable: (facts.mode & 0o111) !== 0 };
  } finally {
    await file.close();
  }
}

function invalid(problem: string, cause?: unknown): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
}
