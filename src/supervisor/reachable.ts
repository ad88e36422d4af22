/** What a user without rights can reach. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether anybody may read and run what is at `path`, and pass all folders on the way to it. */
export async function isReachable(path: string): Promise<boolean> {
  if (((await stat(path)).mode & 0o005) !== 0o005) {
    return false;
  }
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) {
      return false;
    }
    if (folder === dirname(folder)) {
      return true;
    }
  }
}
