/** Guests that make host calls, wait, and are resumed. */

import t from 'tap';
import type { Exit, Resume, Shell } from '../../src/drivers/driver.js';
import { openTestedDriver, withoutRewind, withoutSnapshots } from './driver-under-test.js';
import { AMPLE, readySnapshot, requestFrame, serve, soon, TestGuests } from './test-guests.js';

const WAIT_FOREVER = Buffer.alloc(8, 0xff);

t.test('guests that yield', { skip: withoutSnapshots }, async (t) => {
  const guests = new TestGuests();
  const driver = openTestedDriver();
  const snapshot = await readySnapshot(driver, guests.image('yields'));
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  const begin = (shell: Shell, orders: string) => serve(shell, requestFrame(Buffer.from(orders)));
  const resume = (shell: Shell, how: Resume, where: 'inline' | 'lane' | 'thread' = 'inline') =>
    shell.run(how, soon(), AMPLE, where);
  const bodyOf = (exit: Exit) => Buffer.from(exit.payload.subarray(16));

  await t.test('hand over call frames, and go on', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    const first = await begin(shell, 'ccw');
    t.equal(first.kind, 'call');
    t.same(Buffer.from(first.payload), Buffer.from([1, 0, 0, 0, 1, ...Buffer.alloc(11)]));
    const second = await resume(shell, { reason: 'continue' });
    t.equal(second.kind, 'call');
    t.equal(second.payload[0], 2);
    const third = await resume(shell, { reason: 'continue' });
    t.equal(third.kind, 'wait');
    t.same(Buffer.from(third.payload), WAIT_FOREVER);
    await shell.destroy();
  });

  await t.test('are resumed by a completion or their timer, on any thread', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    const bytes = Buffer.from('a completion');
    for (const where of ['inline', 'lane', 'thread'] as const) {
      t.equal((await begin(shell, 'w')).kind, 'wait');
      const completed = await resume(shell, { reason: 'completion', bytes }, where);
      t.equal(completed.kind, 'respond');
      t.same(bodyOf(completed), Buffer.concat([Buffer.from([4]), bytes]));
      t.equal((await begin(shell, 'w')).kind, 'wait');
      t.same(bodyOf(await resume(shell, { reason: 'timer' }, where)), Buffer.from([5]));
    }
    await shell.destroy();
  });

  await t.test('can be rewound in the middle of a wait', { skip: withoutRewind }, async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    t.equal((await begin(shell, 'cw')).kind, 'call');
    t.equal((await resume(shell, { reason: 'continue' })).kind, 'wait');
    t.ok(shell.rewind(), 'the exit is an exact one');
    t.equal((await begin(shell, '')).kind, 'respond');
    await shell.destroy();
  });

  await t.test('can be destroyed while they wait, and while they go on', async (t) => {
    const waiting = await snapshot.createShell({ reusable: true });
    t.equal((await begin(waiting, 'w')).kind, 'wait');
    await waiting.destroy();
    t.throws(() => resume(waiting, { reason: 'timer' }), { code: 'SHELL_GONE' });

    const resumed = await snapshot.createShell({ reusable: true });
    t.equal((await begin(resumed, `w${'b'.repeat(60)}`)).kind, 'wait');
    const running = Promise.resolve(resume(resumed, { reason: 'timer' }, 'thread')).catch(
      (error) => error,
    );
    await resumed.destroy();
    t.match(await running, { code: 'SHELL_GONE' });
  });

  await t.test('refuse a completion that does not fit into the window', async (t) => {
    const shell = await snapshot.createShell({ reusable: true });
    await begin(shell, 'w');
    const bytes = Buffer.alloc(0x40000);
    t.throws(() => resume(shell, { reason: 'completion', bytes }), { code: 'DRIVER_FAILED' });
    t.equal((await resume(shell, { reason: 'timer' })).kind, 'respond', 'and can go on');
    await shell.destroy();
  });
});
