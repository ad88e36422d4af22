/** Guests on Xen that leave in odd ways, or try to get at the stub under them or at Xen. */

import t from 'tap';
import { XenDriver } from '../../src/drivers/xen.js';
import { readySnapshot, requestFrame, serve, TestGuests } from '../drivers/test-guests.js';
import { loadXenTestAddon, xenMachine, xenMissing } from './xen-guests.js';

/** test/guests/exits.c; X and Y are doorbells on KVM only. 255 is a hypercall of the test addon's. */
const ODD_EXITS = 'abcdefghijlmnopqrsXY';
/** test/guests/forbidden.c */
const FORBIDDEN = 'abcdefghijklmnopqrstuvwxyz0123456';
/** test/guests/intruder.c: what must fault. */
const INTRUSIONS = 'abcdefghijklmnopqrstuv';
/** The same: Xen's hypercalls, by the instructions of both makers of processors. */
const HYPERCALLS = 'ABCDEFGH';
/** What Xen answers to ring 3. */
const EPERM = -1n;

t.test('hostile guests on Xen', { skip: xenMissing() }, async (t) => {
  const guests = new TestGuests();
  const driver = new XenDriver({ addon: loadXenTestAddon() });
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  for (const [guest, ways] of [
    ['exits', ODD_EXITS],
    ['forbidden', FORBIDDEN],
    ['intruder', INTRUSIONS],
  ] as const) {
    await t.test(`${guest}: every way ends the instance`, async (t) => {
      const snapshot = await readySnapshot(driver, guests.image(guest));
      for (const way of ways) {
        const shell = await snapshot.createShell({ reusable: true });
        const exit = await serve(shell, requestFrame(Buffer.from(way)));
        t.equal(exit.kind, 'crash', `${way}: ${exit.fault?.reason}`);
        t.equal(exit.payload.length, 0, 'nothing of its response is taken');
        t.equal(shell.rewind(), false);
        await shell.destroy();
      }
      const shell = await snapshot.createShell({ reusable: true });
      t.equal((await serve(shell, requestFrame(Buffer.from('?')))).kind, 'respond');
    });
  }

  await t.test('make no hypercall of Xen’s', async (t) => {
    const snapshot = await readySnapshot(driver, guests.image('intruder'));
    for (const way of HYPERCALLS) {
      const shell = await snapshot.createShell({ reusable: true });
      const exit = await serve(shell, requestFrame(Buffer.from(way)));
      if (exit.kind === 'crash') {
        t.match(exit.fault?.reason, /invalid instruction/, `${way}: the other maker's`);
      } else {
        t.equal(Buffer.from(exit.payload).readBigInt64LE(exit.payload.length - 8), EPERM, way);
        t.ok(shell.rewind(), 'the domain is as it was made');
        t.same(xenMachine(shell).differingPages(), []);
      }
      await shell.destroy();
    }
  });

  await t.test('are reported with what they did, and where', async (t) => {
    const image = guests.image('forbidden');
    const snapshot = await readySnapshot(driver, image);
    const reports: readonly (readonly [way: string, reason: RegExp])[] = [
      ['v', /^page fault: store to 0x10, where nothing is mapped$/],
      ['w', /^page fault: store to 0x4000000, which the guest may not touch so$/],
      ['x', /^page fault: jump to 0x[0-9a-f]+, which is not executable$/],
      ['5', /^division error$/],
      ['c', /^general protection fault \(error code 0x[0-9a-f]+\)$/],
      ['4', /^debug exception$/],
    ];
    for (const [way, reason] of reports) {
      const shell = await snapshot.createShell({ reusable: false });
      const { fault } = await serve(shell, requestFrame(Buffer.from(way)));
      t.match(fault?.reason, reason);
      if (way !== 'x') {
        t.match(image.symbolAt(fault?.instructionPointer ?? 0), /^(attempt|application_serve)\+/);
      }
      t.ok((fault?.stackPointer ?? 0) > 0x6fff0000, 'with its stack');
      await shell.destroy();
    }
  });

  await t.test('that nobody here destroyed are gone, and said to be', async (t) => {
    const snapshot = await readySnapshot(driver, guests.image('spin'));
    const shell = await snapshot.createShell({ reusable: true });
    xenMachine(shell).shutDown(3);
    const exit = await serve(shell, requestFrame(Buffer.alloc(0)));
    t.equal(exit.kind, 'crash');
    t.equal(exit.fault?.reason, 'the domain crashed');
    t.equal(shell.rewind(), false);
  });
});
