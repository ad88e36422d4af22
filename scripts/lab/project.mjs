// The part that is packed for each boot: what was built, as it is at the moment, the command and the files
// that come with it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { at } from '../steps/root.mjs';
import { Archive } from './cpio.mjs';
import { BOOT_MODULES } from './recipe.mjs';

/** Files and folders of the checkout that programs and tests of Dom0 read. Some may not be built. */
const PARTS = [
  'package.json',
  'binding.gyp',
  'build/Release',
  'dist',
  'docs',
  'examples',
  'images/abi',
  'test',
];

const GUESTS = 'hatchery/build/guests';

/** The environment of every command. Tests take longer here than tap gives them. */
const DEFAULTS = { HATCHERY_TEST_GUESTS: `/${GUESTS}`, TAP_TIMEOUT: '300' };

/** Of those: intermediate files of compilers, declarations of types. */
const UNREAD = /(\.d\.ts|\.tsbuildinfo|\/obj(\.target)?|\/\.deps)$/;

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * @param {string} file the archive that is made
 * @param {{command: string[], environment: Record<string, string>, include: string[], guests?: string}} task
 *   `include`: files and folders of the host for Dom0's /tmp; `guests`: the folder of the test guests
 */
export function writeProject(file, { command, environment, include, guests }) {
  const archive = new Archive(file);
  archive.file('init', readFileSync(at('images/lab/init')), 0o755);
  archive.file('lab/modules', `${BOOT_MODULES.join('\n')}\n`);
  const exports = Object.entries({ ...DEFAULTS, ...environment }).map(
    ([name, value]) => `export ${name}=${quoted(value)}\n`,
  );
  archive.file('lab/command', `${exports.join('')}exec ${command.map(quoted).join(' ')}\n`);
  for (const name of ['run-tests.mjs', 'load-tests.mjs']) {
    archive.copy(at(`images/lab/${name}`), `hatchery/${name}`);
  }
  archive.copy(at('images/lab/tap'), 'hatchery/node_modules/tap');
  if (guests !== undefined) archive.copy(guests, GUESTS);
  for (const part of PARTS) {
    if (existsSync(at(part))) {
      archive.copy(at(part), `hatchery/${part}`, (from) => !UNREAD.test(from));
    }
  }
  for (const source of include) {
    archive.copy(path.resolve(source), `tmp/${path.basename(source)}`);
  }
  archive.close();
}
