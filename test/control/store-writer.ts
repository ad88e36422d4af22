/**
 * Deploys to a store as fast as it can, until it is killed. Argument: the data folder. Prints the number
 * of each version when it is there to stay.
 */
import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { FunctionStore } from '../../src/control/data/function-store.js';
import { SecretBox } from '../../src/control/data/secret-box.js';
import { settings } from './settings.js';

const MODULE_BYTES = 100_000;

const [folder = ''] = process.argv.slice(2);
const store = await FunctionStore.open(folder, await SecretBox.open(folder, {}));
for (;;) {
  const module = randomBytes(MODULE_BYTES).toString('base64');
  const digest = createHash('sha256').update(module).digest('hex');
  const { current } = await store.add('app', {
    settings: settings({ env: { DIGEST: digest } }),
    secrets: { DIGEST: digest },
    code: { module, map: '{}' },
  });
  writeSync(1, `${current}\n`);
}
