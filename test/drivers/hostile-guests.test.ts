/** Guests that leave in odd ways, or try what ring 3 must not be able to do. */

import t, { type Test } from 'tap';
import { KvmDriver } from '../../src/drivers/kvm.js';
import { openTestedDriver, tested, untestableBut, withoutSnapshots } from './driver-under-test.js';
import {
  AMPLE,
  loadTestAddon,
  OMIT,
  readySnapshot,
  requestFrame,
  serve,
  soon,
  TestGuests,
  testMachine,
} from './test-guests.js';

const ODD_EXITS = 'abcdefghijklmnopqrs';
const EXACT_EXITS = 'XY';
const FORBIDDEN = 'abcdefghijklmnopqrstuvwxyz0123456';

function openInstrumented(test: Test): KvmDriver {
  const driver = new KvmDriver({ addon: loadTestAddon() });
  test.teardown(() => driver.close());
  return driver;
}

t.test('hostile guests', { skip: withoutSnapshots }, async (t) => {
  const guests = new TestGuests();
  const driver = openTestedDriver();
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  await t.test('that leave by an odd exit are never used again', async (t) => {
    const snapshot = await readySnapshot(driver, guests.image('exits'));
    // Xen takes one form of the doorbell only.
    const odd = tested.name === 'kvm' ? ODD_EXITS : ODD_EXITS + EXACT_EXITS;
    for (const way of odd) {
      const shell = await snapshot.createShell({ reusable: true });
      const exit = await serve(shell, requestFrame(Buffer.from(way)));
      t.equal(exit.kind, 'crash', `${way}: ${exit.fault?.reason}`);
      t.equal(exit.payload.length, 0, 'nothing of its response is taken');
      t.equal(shell.rewind(), false);
      await shell.destroy();
    }
  });

  const onlyKvm = { skip: untestableBut('kvm') };

  await t.test(
    'that ring the doorbell in their own way are rewound exactly',
    onlyKvm,
    async (t) => {
      const instrumented = openInstrumented(t);
      const snapshot = await readySnapshot(instrumented, guests.image('exits'));
      const probed = async (way?: string) => {
        const shell = await snapshot.createShell({ reusable: true });
        if (way !== undefined) {
          t.equal((await serve(shell, requestFrame(Buffer.from(way)))).kind, 'respond');
          t.ok(shell.rewind());
          t.same(testMachine(shell).differingPages(), []);
        }
        testMachine(shell).probeNext();
        await shell.run({ reason: 'continue' }, soon(), AMPLE, 'inline');
        const { regs, sregs, events } = testMachine(shell).state();
        shell.rewind();
        const after = await serve(shell, requestFrame(Buffer.from('?')));
        return { regs, sregs, events, after: after.kind, status: after.payload[0] };
      };
      const expected = await probed();
      for (const way of EXACT_EXITS) {
        t.strictSame(await probed(way), expected, way);
      }
    },
  );

  await t.test('that left by an odd exit would show, were they used again', onlyKvm, async (t) => {
    const instrumented = openInstrumented(t);
    const snapshot = await readySnapshot(instrumented, guests.image('exits'));
    const statusAfter = async (way: string) => {
      const shell = await snapshot.createShell({ reusable: true });
      await serve(shell, requestFrame(Buffer.from(way)));
      testMachine(shell).setOmit(OMIT.exitCheck);
      shell.rewind();
      testMachine(shell).probeNext();
      const exit = await shell.run({ reason: 'continue' }, soon(), AMPLE, 'inline');
      return { fault: exit.fault?.reason, regs: testMachine(shell).state().regs };
    };
    const clean = await statusAfter('X');
    const seen = await Promise.all([...'abdg'].map(statusAfter));
    t.ok(
      seen.some((one) => !Buffer.from(one.regs ?? []).equals(Buffer.from(clean.regs ?? []))),
      'a pending exit survives a rewind without the check',
    );
  });

  await t.test('cannot do what ring 3 must not', async (t) => {
    const snapshot = await readySnapshot(driver, guests.image('forbidden'));
    for (const what of FORBIDDEN) {
      const shell = await snapshot.createShell({ reusable: true });
      const exit = await serve(shell, requestFrame(Buffer.from(what)));
      t.equal(exit.kind, 'crash', `${what}: ${exit.fault?.reason}`);
      await shell.destroy();
    }
    const shell = await snapshot.createShell({ reusable: true });
    t.equal((await serve(shell, requestFrame(Buffer.from('?')))).kind, 'respond');
  });
});
