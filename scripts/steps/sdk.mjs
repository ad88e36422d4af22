// The folder from which WebAssembly modules become images; images/wasm/build-sdk.sh makes it.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, stamp } from './digest.mjs';
import { toolVersions } from './images.mjs';
import { at } from './root.mjs';

const OUT = 'dist/sdk';
const FOLDERS = ['abi', 'kernel', 'files', 'gateway', 'wasm'];

const digest = () =>
  digestOf(filesBelow(FOLDERS.map((folder) => `images/${folder}`)), [toolVersions()]);

/** A step that builds dist/sdk. */
export const sdkStep = {
  name: 'image SDK',
  title: `what images are built with, ${OUT}`,
  remedy: 'read the log; "npm run build:images" tries again',
  isCurrent: () => existsSync(at(OUT, 'build-wasm')) && isStamped('sdk', digest()),
  async run() {
    const before = digest();
    const made = at(`${OUT}.new`);
    await runLogged('sdk', ['bash', at('images/wasm/build-sdk.sh'), made]);
    rmSync(at(OUT), { recursive: true, force: true });
    renameSync(made, at(OUT));
    stamp('sdk', before);
  },
};
