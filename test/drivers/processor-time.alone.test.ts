/** The bound for processor time: kept wherever a guest runs, and the processor's clock decides. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import t from 'tap';
import { KvmDriver } from '../../src/drivers/kvm.js';
import { kvmMissing, readySnapshot, requestFrame, soon, TestGuests } from './test-guests.js';

const SPIN = requestFrame(Buffer.from('s'));
const ANSWER = requestFrame(Buffer.from('a'));
/** Milliseconds that the driver may be late: the watchdog's tick, and its own wait for a processor. */
const LATE = 30;

/** Processes that keep every processor busy twice over, from now until `stop`. */
async function crowd(): Promise<{ stop(): void }> {
  const program = 'process.stdout.write("on"); for (;;);';
  const idlers = Array.from({ length: 2 * cpus().length }, () =>
    spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  await Promise.all(idlers.map((idler) => once(idler.stdout, 'data')));
  return {
    stop() {
      for (const idler of idlers) {
        idler.kill('SIGKILL');
      }
    },
  };
}

t.test('processor time', { skip: kvmMissing() }, async (t) => {
  const guests = new TestGuests();
  const driver = new KvmDriver();
  const snapshot = await readySnapshot(driver, guests.image('spin'));
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  await t.test('that is used up ends the run, wherever it is', async (t) => {
    for (const where of ['inline', 'lane', 'thread'] as const) {
      for (const budget of [0, 0.3, 5, 60]) {
        const shell = await snapshot.createShell({ reusable: true });
        const exit = await shell.run({ reason: 'request', bytes: SPIN }, soon(), budget, where);
        const used = exit.cpuMicroseconds / 1000;
        t.equal(exit.kind, 'cpu', `${where}, ${budget} ms`);
        t.ok(used >= budget && used < budget + LATE, `${used} ms were used`);
        t.equal(exit.payload.length, 0);
        t.equal(shell.rewind(), false, 'it stopped in the middle of anything');
        await shell.destroy();
      }
    }
  });

  await t.test('does not matter where the deadline comes first', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    const exit = await shell.run(
      { reason: 'request', bytes: SPIN },
      performance.now() + 40,
      Number.POSITIVE_INFINITY,
      'thread',
    );
    t.equal(exit.kind, 'deadline');
    t.ok(exit.cpuMicroseconds <= exit.guestMicroseconds + 1000);
    await shell.destroy();
  });

  await t.test('is told of a run that answers', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    for (const where of ['inline', 'lane', 'thread'] as const) {
      const exit = await shell.run({ reason: 'request', bytes: ANSWER }, soon(), 50, where);
      t.equal(exit.kind, 'respond');
      t.ok(exit.cpuMicroseconds > 0 && exit.cpuMicroseconds < 50_000, `${exit.cpuMicroseconds}`);
    }
    await shell.destroy();
  });

  await t.test('is not used while the guest waits for a processor', async (t) => {
    const others = await crowd();
    try {
      for (const where of ['inline', 'thread'] as const) {
        const shell = await snapshot.createShell({ reusable: true });
        // Threads that run guests for long are nice to all others.
        const patient = performance.now() + 60_000;
        const exit = await shell.run({ reason: 'request', bytes: SPIN }, patient, 40, where);
        const used = exit.cpuMicroseconds / 1000;
        t.equal(exit.kind, 'cpu');
        t.ok(used >= 40 && used < 40 + LATE, `${used} ms were used`);
        t.ok(exit.guestMicroseconds / 1000 > 1.3 * used, 'and it waited for as much again');
        await shell.destroy();
      }
    } finally {
      others.stop();
    }
  });
});
