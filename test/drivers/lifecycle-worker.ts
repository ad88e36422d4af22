/** A worker thread of lifecycle.test.ts: serves once, then spins until it is terminated. */

import { parentPort } from 'node:worker_threads';
import { openTestedDriver } from './driver-under-test.js';
import { AMPLE, readySnapshot, requestFrame, serve, soon, TestGuests } from './test-guests.js';

const guests = new TestGuests();
const snapshot = await readySnapshot(openTestedDriver(), guests.image('spin'));
guests.remove();
const shell = await snapshot.createShell({ reusable: true });
const exit = await serve(shell, requestFrame(Buffer.from('a')));
const spinning = await snapshot.createShell({ reusable: true });
void spinning.run(
  { reason: 'request', bytes: requestFrame(Buffer.from('s')) },
  soon(),
  AMPLE,
  'thread',
);
parentPort?.postMessage(exit.kind);
