// The kernel modules that Dom0 has, with those that they depend on, and the list that modprobe reads.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A module's name: `-` and `_` are the same to the kernel. */
const nameOf = (file) => path.basename(file, '.ko').replaceAll('-', '_');

/** Names of the modules that one needs, from its section .modinfo. */
function dependenciesOf(file) {
  const match = /\0depends=([^\0]*)\0/.exec(readFileSync(file, 'latin1'));
  return match?.[1] ? match[1].split(',').map(nameOf) : [];
}

/** A module without symbols for debugging and without its signature, which is slow to check. */
function strippedModule(file) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hatchery-lab-'));
  const stripped = path.join(folder, 'module.ko');
  try {
    execFileSync('strip', ['--strip-debug', '-o', stripped, file]);
    return readFileSync(stripped);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Adds modules and what they depend on to an archive.
 *
 * @param {import('./cpio.mjs').Archive} archive
 * @param {string} folder `…/lib/modules/VERSION`
 * @param {string} version
 * @param {string[]} wanted
 */
export function addModules(archive, folder, version, wanted) {
  const files = new Map(
    readdirSync(folder, { recursive: true })
      .filter((file) => file.endsWith('.ko'))
      .map((file) => [nameOf(file), file]),
  );
  const lines = new Map();
  /** The files that a module needs, each behind all that need it: modprobe loads from the end. */
  const add = (name) => {
    const file = files.get(name);
    if (!lines.has(file)) {
      const direct = dependenciesOf(path.join(folder, file)).filter((other) => files.has(other));
      const all = direct.flatMap((other) => [...add(other)].reverse().concat(files.get(other)));
      // The deepest first, once; then turned round.
      lines.set(file, [...new Set(all)].reverse());
      archive.file(`usr/lib/modules/${version}/${file}`, strippedModule(path.join(folder, file)));
    }
    return lines.get(file);
  };
  for (const name of wanted) {
    if (!files.has(nameOf(name))) throw new Error(`the kernel has no module ${name}`);
    add(nameOf(name));
  }
  const text = [...lines].map(([file, needed]) => `${[`${file}:`, ...needed].join(' ')}\n`);
  archive.file(`usr/lib/modules/${version}/modules.dep`, text.join(''));
}
