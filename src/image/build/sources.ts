/** What an image is built of: a WebAssembly module, or C sources with what they include. */
import { stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { HatcheryError } from '../../errors.js';
import { readInput, readTree } from './read-tree.js';

export interface SourceFile {
  /** Relative to the folder that all are in, with `/` between its parts. */
  readonly path: string;
  readonly bytes: Buffer;
  /** It is told to the compiler, and not only included. */
  readonly isCompiled: boolean;
}

export interface Sources {
  readonly kind: 'wasm' | 'wat' | 'c';
  /** Absolute; where all files are. */
  readonly folder: string;
  readonly files: readonly SourceFile[];
}

const MODULES: Readonly<Record<string, 'wasm' | 'wat'>> = { '.wasm': 'wasm', '.wat': 'wat' };
const C_SOURCE = '.c';
/** Taken where they are named, and out of folders. */
const C_FILES = [C_SOURCE, '.h', '.inc', '.def', '.a', '.o'];

/** Whether an image can be built of a file of this name. */
export function isBuildable(path: string): boolean {
  const ending = extname(path);
  return ending in MODULES || ending === C_SOURCE;
}

/**
 * @param paths one module, or files and folders of C; of folders, all files of C that they have
 * @throws HatcheryError INVALID_ARGUMENT
 */
export async function readSources(paths: readonly string[]): Promise<Sources> {
  const [first = ''] = paths;
  const kind = MODULES[extname(first)];
  if (kind !== undefined) {
    if (paths.length > 1) {
      throw invalid('an image is built of one WebAssembly module, or of C files');
    }
    const { bytes } = await readInput(first);
    const name = relative(dirname(resolve(first)), resolve(first));
    return {
      ...{ kind, folder: dirname(resolve(first)) },
      files: [{ path: name, bytes, isCompiled: true }],
    };
  }
  return readC(paths);
}

async function readC(paths: readonly string[]): Promise<Sources> {
  const read = new Map<string, Omit<SourceFile, 'path'>>();
  for (const path of paths) {
    const absolute = resolve(path);
    const facts = await stat(absolute).catch((cause: unknown) => {
      throw invalid(`${path} cannot be read: ${(cause as Error).message}`, cause);
    });
    if (facts.isDirectory()) {
      for (const file of await readTree(absolute)) {
        if (C_FILES.includes(extname(file.path))) {
          read.set(join(absolute, file.path), sourceOf(file.path, file.bytes));
        }
      }
    } else if (C_FILES.includes(extname(path))) {
      read.set(absolute, sourceOf(path, (await readInput(path)).bytes));
    } else {
      throw invalid(`${path} is neither .wasm, .wat nor ${C_FILES.join(', ')}`);
    }
  }
  if (![...read.values()].some(({ isCompiled }) => isCompiled)) {
    throw invalid('there is no .c file to build an image of');
  }
  const folder = commonFolder([...read.keys()]);
  const files = [...read]
    .map(([absolute, file]) => ({ path: relative(folder, absolute), ...file }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return { kind: 'c', folder, files };
}

function sourceOf(path: string, bytes: Buffer): Omit<SourceFile, 'path'> {
  return { bytes, isCompiled: extname(path) === C_SOURCE };
}

function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0] ?? '/');
  while (!files.every((file) => file.startsWith(folder === '/' ? folder : folder + sep))) {
    folder = dirname(folder);
  }
  return folder;
}

function invalid(problem: string, cause?: unknown): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
}
