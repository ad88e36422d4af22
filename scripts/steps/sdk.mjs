// The folder from which WebAssembly modules and C programs become images: what images/wasm/build-sdk.sh
// and images/posix/build-sdk.sh make.
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { SOURCES_FOLDER } from './debian-sources.mjs';
import { digestOf, filesBelow, isStamped, stamp } from './digest.mjs';
import { toolVersions } from './images.mjs';
import { at } from './root.mjs';

const OUT = 'dist/sdk';
const FOLDERS = ['abi', 'kernel', 'files', 'gateway', 'wasm', 'posix'];

const digest = () =>
  digestOf(filesBelow(FOLDERS.map((folder) => `images/${folder}`)), [
    toolVersions(),
    path.basename(SOURCES_FOLDER),
  ]);

/** A step that builds dist/sdk. */
export const sdkStep = {
  name: 'image SDK',
  title: `what images are built with, ${OUT}`,
  remedy: 'read the log; "npm run build:images" tries again',
  // Functions in JavaScript do without.
  optional: true,
  isCurrent: () =>
    ['build-wasm', 'build-c'].every((name) => existsSync(at(OUT, name))) &&
    isStamped('sdk', digest()),
  async run() {
    const before = digest();
    const made = at(`${OUT}.new`);
    await runLogged('sdk', ['bash', at('images/wasm/build-sdk.sh'), made]);
    await runLogged('sdk-c', ['bash', at('images/posix/build-sdk.sh'), SOURCES_FOLDER, made], {
      env: { CACHE_DIR: at('build/cache/images') },
    });
    rmSync(at(OUT), { recursive: true, force: true });
    renameSync(made, at(OUT));
    stamp('sdk', before);
  },
};
