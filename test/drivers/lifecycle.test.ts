/** Shells from creation to destruction: misuse, deadlines, kills, worker threads, no leaks. */

import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { Shell } from '../../src/drivers/driver.js';
import { HatcheryError } from '../../src/errors.js';
import {
  countMachines,
  countMachinesOnce,
  milliseconds,
  openTestedDriver,
  repetitions,
  tested,
  withoutRewind,
  withoutSnapshots,
} from './driver-under-test.js';
import { AMPLE, readySnapshot, requestFrame, serve, soon, TestGuests } from './test-guests.js';

const SPIN = requestFrame(Buffer.from('s'));
const ANSWER = requestFrame(Buffer.from('a'));
/** Xen keeps what it has opened for the domains to come. */
const openDescriptors = () => (tested.name === 'kvm' ? readdirSync('/proc/self/fd').length : 0);

t.test('shells', { skip: withoutSnapshots }, async (t) => {
  const guests = new TestGuests();
  const driver = openTestedDriver();
  const snapshot = await readySnapshot(driver, guests.image('spin'));
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  await t.test('stop at their deadline and are not rewound', async (t) => {
    for (const where of ['inline', 'thread'] as const) {
      const shell = await snapshot.createShell({ reusable: true });
      const started = performance.now();
      const exit = await shell.run({ reason: 'request', bytes: SPIN }, started + 60, AMPLE, where);
      t.equal(exit.kind, 'deadline');
      t.ok(performance.now() - started >= 59, 'not before its time');
      t.equal(shell.rewind(), false);
      await shell.destroy();
    }
  });

  await t.test('leave the event loop free while they run', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const exit = await shell.run(
      { reason: 'request', bytes: SPIN },
      performance.now() + Math.max(200, milliseconds(50)),
      AMPLE,
      'inline',
    );
    clearInterval(timer);
    t.equal(exit.kind, 'deadline');
    t.ok(ticks > 5, `the loop turned ${ticks} times`);
    await shell.destroy();
  });

  await t.test('can be destroyed while they run', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    const running = shell.run({ reason: 'request', bytes: SPIN }, soon(), AMPLE, 'thread');
    const outcome = Promise.resolve(running).catch((error) => error);
    const destroyed = shell.destroy();
    t.match(await outcome, { code: 'SHELL_GONE' });
    const { cpuMicroseconds } = await destroyed;
    t.ok(cpuMicroseconds > 0, 'and the run that was cut off counts');
    t.throws(() => shell.run({ reason: 'request', bytes: ANSWER }, soon(), AMPLE, 'inline'), {
      code: 'SHELL_GONE',
    });
    await shell.destroy();
  });

  await t.test('run one thing at a time', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    const running = shell.run(
      { reason: 'request', bytes: SPIN },
      performance.now() + 50,
      AMPLE,
      'thread',
    );
    const misuses = [
      () => shell.run({ reason: 'request', bytes: ANSWER }, soon(), AMPLE, 'inline'),
      () => shell.rewind(),
    ];
    for (const misuse of misuses) {
      t.throws(misuse, { code: 'SHELL_BUSY' });
    }
    await t.rejects(shell.capture(), { code: 'SHELL_BUSY' });
    t.equal((await running).kind, 'deadline');
    await shell.destroy();
  });

  const count = async (shell: Shell) =>
    Buffer.from((await serve(shell, ANSWER)).payload.subarray(16))[0];

  await t.test('serve several requests without a rewind, and others with none', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    t.same([await count(shell), await count(shell), await count(shell)], [1, 2, 3]);
    await shell.destroy();
    const other = await snapshot.createShell({ reusable: true });
    t.equal(await count(other), 1, 'what one wrote no other has');
    await other.destroy();
  });

  const rewinding = { skip: withoutRewind };

  await t.test('serve as if they were new after a rewind', rewinding, async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    t.same([await count(shell), await count(shell)], [1, 2]);
    t.ok(shell.rewind());
    t.equal(await count(shell), 1);
    await shell.destroy();
  });

  await t.test('tell how much memory they have written, with a record', rewinding, async (t) => {
    const recorded = await snapshot.createShell({ reusable: true });
    t.equal(recorded.dirtyBytes(), 0);
    await serve(recorded, ANSWER);
    t.ok((recorded.dirtyBytes() ?? 0) >= 4096);
    await recorded.destroy();
    t.throws(() => recorded.dirtyBytes(), { code: 'SHELL_GONE' });
  });

  await t.test('refuse a request that does not fit into the window', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    const bytes = Buffer.alloc(0x40000);
    t.throws(() => shell.run({ reason: 'request', bytes }, soon(), AMPLE, 'inline'), {
      code: 'DRIVER_FAILED',
    });
    t.equal((await serve(shell, ANSWER)).kind, 'respond', 'and can be used after that');
    await shell.destroy();
  });

  await t.test('of a closed snapshot serve on; new ones cannot be made', async (t) => {
    const other = await readySnapshot(driver, guests.image('spin'));
    const shell = await other.createShell({ reusable: true });
    other.close();
    other.close();
    await t.rejects(other.createShell({ reusable: true }), { code: 'SHELL_GONE' });
    t.equal((await serve(shell, ANSWER)).kind, 'respond');
    await shell.destroy();
  });

  await t.test('give back all that they had', async (t) => {
    const before = { descriptors: openDescriptors(), machines: countMachines() };
    for (let round = 0; round < repetitions(5, 2); round++) {
      const shells = await Promise.all(
        Array.from({ length: repetitions(20, 3) }, () => snapshot.createShell({ reusable: true })),
      );
      // A process that was made ahead before may be one of these now, and the next is not made yet.
      const missing = before.machines + shells.length - countMachines();
      t.ok(missing === 0 || (missing === 1 && tested.name === 'process'), `${missing} are missing`);
      await Promise.all(shells.map((shell) => shell.destroy()));
    }
    t.equal(await countMachinesOnce(before.machines), before.machines);
    t.equal(openDescriptors(), before.descriptors);
  });

  await t.test('work in worker threads, and end with them in the middle of a run', async (t) => {
    const before = countMachines();
    const script = new URL('./lifecycle-worker.js', import.meta.url);
    const workers = Array.from({ length: repetitions(3) }, () => new Worker(script));
    const kinds = await Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    t.same(
      kinds,
      workers.map(() => 'respond'),
    );
    await Promise.all(workers.map((worker) => worker.terminate()));
    const shell = await snapshot.createShell({ reusable: true });
    t.equal((await serve(shell, ANSWER)).kind, 'respond', 'others are not touched');
    await shell.destroy();
    t.equal(await countMachinesOnce(before), before, 'their machines are gone');
  });

  await t.test('cannot be loaded into too little memory', async (t) => {
    const image = guests.image('spin');
    const load = driver.load({ image, configuration: new Map(), memoryBytes: 1 << 20 });
    await t.rejects(load, { code: 'CONFIGURATION_INVALID' });
  });

  await t.test('that are being made while their driver closes are gone, too', async (t) => {
    const other = openTestedDriver();
    const ready = await readySnapshot(other, guests.image('spin'));
    const before = { descriptors: openDescriptors(), machines: countMachines() };
    const making = Array.from({ length: repetitions(10, 3) }, () =>
      ready.createShell({ reusable: true }),
    );
    const outcomes = Promise.allSettled(making);
    await other.close();
    // Of the process driver, what its snapshot is goes, too.
    const left = before.machines - (tested.name === 'process' ? 1 : 0);
    t.equal(await countMachinesOnce(left), left);
    if (tested.name === 'kvm') {
      const message = 'of the driver only the device is left, for the others';
      t.equal(openDescriptors(), before.descriptors - 1, message);
    }
    for (const outcome of await outcomes) {
      t.match(outcome, { status: 'rejected', reason: { code: 'SHELL_GONE' } });
    }
    await t.rejects(ready.createShell({ reusable: true }), { code: 'SHELL_GONE' });
  });

  await t.test('of a closed driver are gone', async (t) => {
    const other = openTestedDriver();
    const ready = await readySnapshot(other, guests.image('spin'));
    const shell = await ready.createShell({ reusable: true });
    ready.close(); // its shells are the driver's to end all the same
    await other.close();
    t.throws(
      () => shell.run({ reason: 'request', bytes: ANSWER }, soon(), AMPLE, 'inline'),
      HatcheryError,
    );
    await t.rejects(
      other.load({ image: guests.image('spin'), configuration: new Map(), memoryBytes: 16 << 20 }),
      { code: 'FABRIC_CLOSED' },
    );
  });
});
