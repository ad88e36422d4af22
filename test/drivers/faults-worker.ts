/**
 * A worker thread of faults.test.ts: goes through a shell's life while one start of a thread fails,
 * the `number`-th, and reports what it did wrong. A new Node environment has no threads yet.
 */

import { constants } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { KvmDriver } from '../../src/drivers/kvm.js';
import { parseElf } from '../../src/image/elf.js';
import { names } from './fault-attack.js';
import { AMPLE, faultsOf, loadTestAddon, MEMORY_BYTES, requestFrame, soon } from './test-guests.js';

const SPIN = { reason: 'request', bytes: requestFrame(Buffer.from('s')) } as const;

const { number, file } = workerData as { readonly number: number; readonly file: Uint8Array };
const addon = loadTestAddon();
const faults = faultsOf(addon);
const driver = new KvmDriver({ addon });
const image = parseElf(file);
const cold = await driver.load({ image, configuration: new Map(), memoryBytes: MEMORY_BYTES });
const wrong: string[] = [];

/** Does it, and once more where the failed start of a thread was its error. */
async function insist<Value>(what: string, deed: () => Promise<Value>): Promise<Value> {
  try {
    return await deed();
  } catch (error) {
    if (!names(error, 'pthread_create', 'EAGAIN')) {
      wrong.push(`${what}: ${error}`);
    }
    return deed();
  }
}

faults.inject('pthread_create', number, constants.errno.EAGAIN);
const snapshot = await insist('boot', async () => {
  const shell = await cold.createShell({ reusable: true });
  await shell.run(undefined, soon(), AMPLE, 'lane');
  return shell.capture();
});
// Each wants a thread of its own; one that gets none goes on in its lane.
await insist('spin', () =>
  Promise.all(
    [1, 2, 3].map(async () => {
      const shell = await snapshot.createShell({ reusable: true });
      const exit = await shell.run(SPIN, performance.now() + 100, AMPLE, 'lane');
      if (exit.kind !== 'deadline') {
        wrong.push(`a spinning guest ended with ${exit.kind}`);
      }
      await shell.destroy();
    }),
  ),
);
if (!faults.injected()) {
  wrong.push('so many threads were not started');
}
await driver.close();
parentPort?.postMessage(wrong);
