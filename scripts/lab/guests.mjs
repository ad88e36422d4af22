// The test guests and the programs of tests, built on the host: Dom0 has no compiler.
import { readFileSync } from 'node:fs';
import { runLogged } from '../steps/command.mjs';
import { filesBelow } from '../steps/digest.mjs';
import { at } from '../steps/root.mjs';
import { cached, keyOf } from './cache.mjs';

/**
 * Builds them if they changed.
 *
 * @returns {Promise<string>} the folder that has them
 * @throws {import('../steps/step.mjs').StepFailure}
 */
export function testGuests() {
  const sources = filesBelow(['test/guests', 'test/xen/programs', 'images/kernel', 'images/abi']);
  const key = keyOf(sources.flatMap((file) => [file, readFileSync(file)]));
  return cached('guests', key, async (folder) => {
    await runLogged('lab-guests', ['bash', at('test/guests/build.sh'), folder]);
  });
}
