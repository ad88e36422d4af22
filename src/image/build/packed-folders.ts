/** The folders that `--dir` packs into an image. */
import { posix } from 'node:path';
import { HatcheryError } from '../../errors.js';
import { readTree } from './read-tree.js';
import { type PackedFile, packTar } from './tar.js';

export interface PackedFolders {
  /** An archive; `undefined` where no folder was given. */
  readonly archive: Buffer | undefined;
  /** Absolute paths of what is in it, on this machine. */
  readonly inputs: readonly string[];
}

/**
 * @param folders each `HOST`, whose files are then at the root, or `HOST:GUEST`
 * @throws HatcheryError INVALID_ARGUMENT
 */
export async function packFolders(folders: readonly string[]): Promise<PackedFolders> {
  if (folders.length === 0) {
    return { archive: undefined, inputs: [] };
  }
  const files = new Map<string, PackedFile>();
  const inputs: string[] = [];
  for (const folder of folders) {
    const { host, guest } = split(folder);
    for (const { path, ...file } of await readTree(host)) {
      const inGuest = posix.join(guest, path);
      if (files.has(inGuest)) {
        throw invalid(`two of the folders of --dir have a file for /${inGuest}`);
      }
      files.set(inGuest, { path: inGuest, ...file });
      inputs.push(posix.resolve(host, path));
    }
  }
  return { archive: packTar([...files.values()]), inputs };
}

function split(folder: string): { readonly host: string; readonly guest: string } {
  const colon = folder.lastIndexOf(':');
  const host = colon < 0 ? folder : folder.slice(0, colon);
  const guest = colon < 0 ? '/' : folder.slice(colon + 1);
  const isClean = !guest.split('/').includes('..') && !guest.includes('\0');
  if (host === '' || !guest.startsWith('/') || !isClean) {
    throw invalid(`--dir ${folder}: give HOST or HOST:GUEST, with an absolute path in the guest`);
  }
  return { host, guest: posix.normalize(guest).replace(/^\/+|\/+$/g, '') };
}

function invalid(problem: string): HatcheryError {
  return new HatcheryError('INVALID_ARGUMENT', { problem });
}
