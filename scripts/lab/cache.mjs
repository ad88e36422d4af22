// Where the lab keeps what is slow to make: a folder per user, in which everything is named by a digest
// of what it was made from. Several processes may use it at the same time.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const FOLDER = path.join(
  process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'),
  'hatchery/lab',
);

/** After how long something unfinished, and something that nobody used, is deleted; milliseconds. */
const ABANDONED = 3_600_000;
const UNUSED = 14 * 24 * 3_600_000;

/** A digest of texts and bytes, short enough to read. */
export function keyOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}\0`).update(part);
  return hash.digest('hex').slice(0, 20);
}

/** Where something with this key is, or would be. */
export const cachedAt = (name, key) => path.join(FOLDER, `${name}-${key}`);

/**
 * The file or folder of that name and key. If it is not there, `make` makes it under another name, and
 * it appears at one go; a second process that made the same meanwhile wins.
 *
 * @param {string} name
 * @param {string} key from `keyOf`
 * @param {(made: string) => void | Promise<void>} make creates the path that it is given
 * @returns {Promise<string>} its path
 */
export async function cached(name, key, make) {
  const place = cachedAt(name, key);
  if (existsSync(place)) {
    // The time says when it was last used.
    utimesSync(place, new Date(), new Date());
    return place;
  }
  mkdirSync(FOLDER, { recursive: true });
  removeOld();
  // A folder around it: what is unpacked inside has the times of whoever packed it.
  const workshop = `${place}.${process.pid}.new`;
  const made = path.join(workshop, name);
  try {
    mkdirSync(workshop);
    await make(made);
    utimesSync(made, new Date(), new Date());
    publish(made, place);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
  return place;
}

function publish(made, place) {
  try {
    renameSync(made, place);
  } catch (error) {
    // A folder that another process put there in the meantime; a file would have been replaced.
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
  }
}

function removeOld() {
  for (const name of readdirSync(FOLDER)) {
    const file = path.join(FOLDER, name);
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > (name.endsWith('.new') ? ABANDONED : UNUSED)) {
      rmSync(file, { recursive: true, force: true });
    }
  }
}
