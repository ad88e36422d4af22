// The test guests, the programs of tests and the images that tests serve, built on the host: Dom0 has no compiler.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runLogged } from '../steps/command.mjs';
import { filesBelow } from '../steps/digest.mjs';
import { at } from '../steps/root.mjs';
import { cached, keyOf } from './cache.mjs';

const SDK = 'dist/sdk';
/** Programs and modules that become images, and what tells whether the SDK is another one. */
const IMAGE_SOURCES = ['test/images/programs', 'test/xen/images'];
const BUILDERS = [`${SDK}/build-c`, `${SDK}/build-wasm`];

/**
 * Builds them if they changed. Without the SDK there are no images, and their tests are skipped.
 *
 * @returns {Promise<string>} the folder that has them
 * @throws {import('../steps/step.mjs').StepFailure}
 */
export function testGuests() {
  const hasSdk = BUILDERS.every((file) => existsSync(at(file)));
  const sources = filesBelow([
    ...['test/guests', 'test/xen/programs', 'images/kernel', 'images/abi'],
    ...(hasSdk ? [...IMAGE_SOURCES, SDK] : []),
  ]);
  const key = keyOf(sources.flatMap((file) => [file, readFileSync(file)]));
  return cached('guests', key, async (folder) => {
    await runLogged('lab-guests', ['bash', at('test/guests/build.sh'), folder]);
    if (hasSdk) await buildImages(folder);
  });
}

/** `c-program.elf`, and an image of each module in test/xen/images. */
async function buildImages(folder) {
  const work = path.join(folder, 'work');
  const inWork = async (name, command) => {
    mkdirSync(work);
    await runLogged(`lab-image-${name}`, command);
    rmSync(work, { recursive: true });
  };
  const [programs, modules] = IMAGE_SOURCES.map((of) => filesBelow([of]));
  const imageOf = (name) => path.join(folder, `${name}.elf`);
  const c = programs.filter((file) => file.endsWith('.c'));
  await inWork('c-program', [at(SDK, 'build-c'), imageOf('c-program'), work, ...c, '--', '-lm']);
  for (const source of modules) {
    const name = path.basename(source, '.wat');
    const module = path.join(folder, `${name}.wasm`);
    await runLogged(`lab-module-${name}`, ['wat2wasm', source, '-o', module]);
    await inWork(name, [at(SDK, 'build-wasm'), imageOf(name), work, module]);
    rmSync(module);
  }
}
