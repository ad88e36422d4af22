// The part of Dom0 that does not change with the project: Debian's programs and libraries, kernel
// modules, busybox. It is made once and kept in the cache, with Xen and the kernel beside it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { findCommand } from '../steps/command.mjs';
import { at } from '../steps/root.mjs';
import { cached, keyOf } from './cache.mjs';
import { Archive } from './cpio.mjs';
import { debianTree, treeKey } from './debian-tree.mjs';
import { kernelImage, kernelVersion, writeKernel, writeXen } from './kernel.mjs';
import { librariesOf } from './libraries.mjs';
import { addModules } from './modules.mjs';
import {
  BOOT_MODULES,
  FOLDERS,
  LIBRARIES,
  LINKS,
  OTHER_MODULES,
  PROGRAMS,
  RELEASE_NAME,
} from './recipe.mjs';

const INTERPRETER = 'lib64/ld-linux-x86-64.so.2';
const LIBRARY_FOLDER = 'usr/lib/x86_64-linux-gnu';

/** Debian's bin, sbin, lib and lib64 are links to those below /usr; packages may name them yet. */
const merged = (name) => name.replace(/^(bin|sbin|lib|lib64)\//, 'usr/$1/');

const EMPTY_FOLDERS = [
  'dev',
  'proc',
  'sys',
  'run',
  'root',
  'mnt',
  'var/log/xen',
  'var/lib/xen/dump',
];

const TEXT_FILES = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1 localhost dom0\n::1 localhost\n',
  'etc/hostname': 'dom0\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  'etc/os-release': `PRETTY_NAME="the lab's Dom0, from ${RELEASE_NAME}"\nID=debian\n`,
  'etc/debian_version': '12\n',
};

function addBusybox(archive) {
  const busybox = realpathSync(findCommand('busybox'));
  archive.copy(busybox, 'usr/bin/busybox');
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const taken = new Set([...PROGRAMS, ...Object.keys(LINKS)].map((name) => path.basename(name)));
  for (const name of applets) {
    if (name !== 'busybox' && !taken.has(name)) archive.link(`usr/bin/${name}`, 'busybox');
  }
}

function addPrograms(archive, tree) {
  for (const name of PROGRAMS) archive.copy(realpathSync(path.join(tree, name)), merged(name));
  for (const [name, target] of Object.entries(LINKS)) archive.link(name, target);
  const always = ['lib/x86_64-linux-gnu', LIBRARY_FOLDER].flatMap((folder) =>
    readdirSync(path.join(tree, folder))
      .filter((name) => LIBRARIES.test(name))
      .map((name) => path.join(tree, folder, name)),
  );
  const libraries = librariesOf(tree, [
    ...PROGRAMS.map((name) => path.join(tree, name)),
    ...always,
  ]);
  for (const file of always) libraries.set(path.basename(file), realpathSync(file));
  for (const [name, file] of libraries) {
    archive.file(`${LIBRARY_FOLDER}/${name}`, readFileSync(file), 0o755);
  }
  archive.file(
    merged(INTERPRETER),
    readFileSync(realpathSync(path.join(tree, INTERPRETER))),
    0o755,
  );
}

function writeBase(tree, file) {
  const archive = new Archive(file);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) archive.link(name, `usr/${name}`);
  for (const name of EMPTY_FOLDERS) archive.folder(name);
  archive.folder('tmp', 0o1777);
  archive.link('var/run', '../run');
  archive.link('var/lock', '../run/lock');
  archive.link('var/lib/xenstored', '../../run/xenstored');
  for (const [name, text] of Object.entries(TEXT_FILES)) archive.file(name, text);
  addPrograms(archive, tree);
  addBusybox(archive);
  for (const name of FOLDERS) archive.copy(path.join(tree, name), name);
  const version = kernelVersion(tree);
  addModules(archive, path.join(tree, 'lib/modules', version), version, [
    ...BOOT_MODULES,
    ...OTHER_MODULES,
  ]);
  archive.file('boot/vmlinuz', readFileSync(kernelImage(tree)));
  archive.close();
}

/** What decides what this part holds: the recipe, and the code that follows it. */
function baseKey() {
  const code = ['cpio', 'dom0', 'kernel', 'libraries', 'modules', 'recipe'];
  return keyOf([treeKey(), ...code.map((name) => readFileSync(at('scripts/lab', `${name}.mjs`)))]);
}

/**
 * Makes the constant part if the cache does not have it.
 *
 * @returns {Promise<{xen: string, kernel: string, archive: string}>} its files
 */
export async function dom0() {
  const folder = await cached('dom0', baseKey(), async (made) => {
    const tree = await debianTree();
    mkdirSync(made);
    writeXen(tree, path.join(made, 'xen.elf'));
    writeKernel(tree, path.join(made, 'vmlinux'));
    writeBase(tree, path.join(made, 'base.cpio'));
  });
  return {
    xen: path.join(folder, 'xen.elf'),
    kernel: path.join(folder, 'vmlinux'),
    archive: path.join(folder, 'base.cpio'),
  };
}
