// Remembers from what something was built, by content, so that nothing is built twice.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { at, ROOT, STAMPS } from './root.mjs';

/** All files below the given files and folders (relative to the checkout), sorted, absolute. */
export function filesBelow(paths, accepts = () => true) {
  const found = [];
  const visit = (file) => {
    for (const entry of readdirSync(file, { withFileTypes: true })) {
      const child = path.join(file, entry.name);
      if (entry.isDirectory()) visit(child);
      else if (accepts(child)) found.push(child);
    }
  };
  for (const item of paths) {
    const file = at(item);
    if (!existsSync(file)) continue;
    try {
      visit(file);
    } catch (error) {
      if (error.code !== 'ENOTDIR') throw error;
      found.push(file);
    }
  }
  return found.sort();
}

/** A digest of files (name and content) and of further facts, such as the versions of tools. */
export function digestOf(files, facts = []) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${path.relative(ROOT, file)}\0${content.length}\0`).update(content);
  }
  hash.update(JSON.stringify(facts));
  return hash.digest('hex');
}

/** The exact version of an npm package as the lock file has it; `none` if it is not there. */
export function lockedVersion(name) {
  const lock = JSON.parse(readFileSync(at('package-lock.json'), 'utf8'));
  return lock.packages[`node_modules/${name}`]?.version ?? 'none';
}

/** Whether `name` was last built from inputs with this digest. */
export function isStamped(name, digest) {
  const file = path.join(STAMPS, name);
  return existsSync(file) && readFileSync(file, 'utf8') === digest;
}

/** Records that `name` was built from inputs with this digest. */
export function stamp(name, digest) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(path.join(STAMPS, name), digest);
}
