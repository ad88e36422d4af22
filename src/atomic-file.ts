/** Files that are either as they were or as they are to be, whenever the machine or the process stops. */
import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Only the server's user may read what it keeps. */
const FILE_MODE = 0o600;
const UNFINISHED = /^\.[0-9a-f]{16}\.tmp$/;

/**
 * Puts a file in place in one step: written beside it, synced, renamed, and the folder synced, so that
 * it lasts when this resolves.
 * @throws what the system says; the file is then as it was before
 */
export async function writeAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  const beside = join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(beside, 'wx', FILE_MODE);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes what was created, renamed and removed in a folder last. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Takes away what writes that were killed have left in a folder. */
export async function removeUnfinished(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter((name) => UNFINISHED.test(name));
  await Promise.all(left.map((name) => rm(join(folder, name), { force: true })));
}
