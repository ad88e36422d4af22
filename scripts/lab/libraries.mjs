// Which shared libraries programs of the Debian tree need, read from the files themselves: nothing of
// the tree is run.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';

const LIBRARY_FOLDERS = [
  'lib/x86_64-linux-gnu',
  'usr/lib/x86_64-linux-gnu',
  'usr/lib/xen-4.17/lib/x86_64-linux-gnu',
];

function neededBy(files) {
  const text = execFileSync('objdump', ['-p', ...files], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return [...text.matchAll(/^\s+NEEDED\s+(\S+)/gm)].map((match) => match[1]);
}

/**
 * Finds all libraries that programs need, and those that the libraries need.
 *
 * @param {string} tree folder of the Debian tree
 * @param {string[]} programs absolute paths of ELF files
 * @returns {Map<string, string>} the name that is asked for → the file that has it
 * @throws {Error} if the tree does not have one
 */
export function librariesOf(tree, programs) {
  const found = new Map();
  let files = programs;
  while (files.length > 0) {
    const names = [...new Set(neededBy(files))].filter((name) => !found.has(name));
    files = names.map((name) => {
      const file = LIBRARY_FOLDERS.map((folder) => path.join(tree, folder, name)).find(existsSync);
      if (file === undefined) throw new Error(`the Debian tree has no ${name}`);
      found.set(name, realpathSync(file));
      return realpathSync(file);
    });
  }
  return found;
}
