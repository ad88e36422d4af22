/**
 * A rewound shell is the snapshot, bit by bit: seen from outside (every page, every register that
 * KVM tells) and from inside (a guest that dumps its own registers). And each component of a rewind
 * is needed: switched off, the comparison fails.
 */

import { readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import t from 'tap';
import type { Shell, Snapshot } from '../../src/drivers/driver.js';
import { KvmDriver } from '../../src/drivers/kvm.js';
import {
  AMPLE,
  bootedShell,
  kvmMissing,
  loadTestAddon,
  OMIT,
  readySnapshot,
  requestFrame,
  serve,
  soon,
  TestGuests,
  testMachine,
} from './test-guests.js';

/** Where the state guest's dump has its XSAVE area. */
const XSAVE_OFFSET = 192;

t.test('rewind', { skip: kvmMissing() }, async (t) => {
  const driver = new KvmDriver({ addon: loadTestAddon() });
  const guests = new TestGuests();
  const snapshots = new Map<string, Snapshot>();
  for (const name of ['state', 'scribble', 'silent_reader']) {
    snapshots.set(name, await readySnapshot(driver, guests.image(name)));
  }
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  const shellOf = async (name: string): Promise<Shell> =>
    // biome-ignore lint/style/noNonNullAssertion: filled above
    snapshots.get(name)!.createShell({ reusable: true });

  /** What the state guest is asked for: to dump its registers, and to wreck them after that. */
  const order = (wreck: boolean, bases: boolean) =>
    requestFrame(Buffer.from([Number(wreck), Number(bases)]));

  /**
   * Forgets XSTATE_BV, which tells what the processor tracks as in use, not what is in the
   * registers: a host that saves and restores them while it schedules may set it.
   */
  function forgetUse(xsave: Uint8Array | undefined): void {
    xsave?.fill(0, 512, 520);
  }

  /** The registers as KVM tells them, with the guest stopped behind the resume stub's XRSTOR. */
  async function probe(shell: Shell) {
    testMachine(shell).probeNext();
    const exit = await shell.run({ reason: 'continue' }, soon(), AMPLE, 'inline');
    const state = testMachine(shell).state();
    forgetUse(state.xsave);
    return { kind: exit.kind, fault: exit.fault?.reason, state };
  }

  /** Whether ring 3 can use FS and GS bases: on some hosts it faults. */
  async function basesAreWritable(): Promise<boolean> {
    const shell = await shellOf('state');
    const exit = await serve(shell, order(true, true));
    await shell.destroy();
    return exit.kind === 'respond';
  }
  const bases = await basesAreWritable();
  t.comment(`FS and GS bases are ${bases ? '' : 'not '}writable in ring 3 here`);
  const DUMP = order(false, bases);
  const WRECK = order(true, bases);

  async function dump(shell: Shell, request: Uint8Array): Promise<Buffer> {
    const dumped = Buffer.from((await serve(shell, request)).payload);
    forgetUse(dumped.subarray(XSAVE_OFFSET));
    return dumped;
  }

  await t.test('of wrecked registers, from outside', async (t) => {
    const fresh = await shellOf('state');
    const expected = await probe(fresh);
    t.ok(Object.keys(expected.state).length >= 7, 'KVM tells every part of the state');
    const shell = await shellOf('state');
    for (let round = 0; round < 3; round++) {
      t.equal((await serve(shell, WRECK)).kind, 'respond');
      t.notSame(testMachine(shell).state().regs, expected.state.regs, 'it wrecked its registers');
      t.ok(shell.rewind());
      t.same(testMachine(shell).differingPages(), []);
      t.strictSame(await probe(shell), expected);
      t.ok(shell.rewind(), 'the probe is an exact exit');
    }
  });

  await t.test('of wrecked registers, from inside', async (t) => {
    const fresh = await shellOf('state');
    const expected = await dump(fresh, DUMP);
    t.equal(expected.length, XSAVE_OFFSET + 2816);
    const shell = await shellOf('state');
    t.same(await dump(shell, WRECK), expected, 'a clone starts equal');
    const unwound = await dump(shell, DUMP);
    const segments = (dumped: Buffer) => dumped.subarray(136, 160);
    t.equal(segments(unwound).equals(segments(expected)), !bases, 'it wrecked what bases it could');
    t.notSame(
      unwound.subarray(XSAVE_OFFSET),
      expected.subarray(XSAVE_OFFSET),
      'and its vector state',
    );
    for (let round = 0; round < 3; round++) {
      t.ok(shell.rewind());
      t.same(await dump(shell, WRECK), expected);
    }
    const vectorState = expected.subarray(XSAVE_OFFSET);
    t.equal(vectorState.readUInt16LE(0), 0x37f, 'the x87 control word is initial');
    t.equal(vectorState.readUInt32LE(24), 0x1f80, 'MXCSR is initial');
    t.ok(vectorState.subarray(32, 512).every((byte) => byte === 0));
    t.ok(vectorState.subarray(576).every((byte) => byte === 0));
  });

  await t.test('of every page that a guest can write', async (t) => {
    const shell = await shellOf('scribble');
    const native = testMachine(shell);
    const tables = native.state().tables;
    for (let round = 0; round < 3; round++) {
      t.equal((await serve(shell, requestFrame(Buffer.alloc(0)))).kind, 'respond');
      t.ok(native.differingPages().length > 3000, 'nearly all of its pages are changed');
      t.ok(native.rewind(1 << 20) >= 0);
      t.same(native.differingPages(), []);
      t.strictSame(native.state().tables, tables, 'the page tables are as they were');
    }
  });

  await t.test('of a body that the guest never read', async (t) => {
    const shell = await shellOf('silent_reader');
    const secret = requestFrame(Buffer.alloc(0x40000 - 128 - 16, 's'));
    t.equal((await serve(shell, secret)).kind, 'respond');
    t.ok(testMachine(shell).differingPages().length >= 64);
    t.ok(shell.rewind());
    t.same(testMachine(shell).differingPages(), []);
  });

  /** A shell that was booted, captured, and goes on as one of its own snapshot. */
  async function joined(name: string) {
    const shell = await bootedShell(driver, guests.image(name));
    const snapshot = await shell.capture();
    t.equal(shell.joinCaptured(), true, `the ${name} guest joins`);
    return { shell, snapshot };
  }

  await t.test('of a shell that joined its own snapshot', async (t) => {
    const { shell, snapshot } = await joined('state');
    const fresh = await snapshot.createShell({ reusable: true });
    t.same(testMachine(shell).differingPages(), []);
    const expected = await probe(fresh);
    t.strictSame(await probe(shell), expected, 'it starts as every other one');
    t.ok(shell.rewind() && fresh.rewind());
    const dumped = await dump(fresh, DUMP);
    for (let round = 0; round < 3; round++) {
      t.same(await dump(shell, WRECK), dumped);
      t.ok(shell.rewind());
      t.same(testMachine(shell).differingPages(), []);
      t.strictSame(await probe(shell), expected);
      t.ok(shell.rewind());
    }
    await Promise.all([shell.destroy(), fresh.destroy()]);
    snapshot.close();
  });

  await t.test('of every page of such a shell, in small pages and large ones', async (t) => {
    const { shell, snapshot } = await joined('scribble');
    const native = testMachine(shell);
    t.same(native.differingPages(), []);
    for (let round = 0; round < 3; round++) {
      t.equal((await serve(shell, requestFrame(Buffer.alloc(0)))).kind, 'respond');
      const changed = native.differingPages().length;
      t.ok(changed > 3000, 'nearly all of its pages are changed');
      t.equal(native.rewind(1 << 20), changed);
      t.same(native.differingPages(), []);
    }
    await shell.destroy();
    snapshot.close();
  });

  await t.test('a shell joins only the snapshot that was just taken of it', async (t) => {
    const shell = await bootedShell(driver, guests.image('spin'));
    t.equal(shell.joinCaptured(), false, 'there is none');
    const first = await shell.capture();
    t.equal(shell.joinCaptured(), true);
    t.equal(shell.joinCaptured(), false, 'it has joined');
    t.equal((await serve(shell, requestFrame(Buffer.from('a')))).kind, 'respond');
    t.equal(shell.joinCaptured(), false, 'it went on');
    t.ok(shell.rewind());
    await shell.destroy();
    first.close();
    t.throws(() => shell.joinCaptured(), { code: 'SHELL_GONE' });
  });

  await t.test('by a file that tells nobody physical addresses', async (t) => {
    const paths = readdirSync('/proc/self/fd').map((number) => `/proc/self/fd/${number}`);
    const isPagemap = (path: string) => {
      try {
        return readlinkSync(path).endsWith('/pagemap');
      } catch {
        return false; // it was the folder itself
      }
    };
    const path = paths.find(isPagemap);
    if (path === undefined) {
      t.comment('this kernel has no PAGEMAP_SCAN, so machines have no large pages');
      return;
    }
    const [start = ''] = readFileSync('/proc/self/maps', 'latin1').split('-');
    const entry = Buffer.alloc(8);
    const number = Number(path.split('/').at(-1));
    readSync(number, entry, 0, 8, (Number.parseInt(start, 16) / 4096) * 8);
    const bits = entry.readBigUInt64LE();
    t.equal(bits >> 63n, 1n, 'a page that is there');
    t.equal(bits & ((1n << 55n) - 1n), 0n, 'somewhere');
  });

  await t.test('refuses a shell that wrote too much', async (t) => {
    const shell = await shellOf('scribble');
    await serve(shell, requestFrame(Buffer.alloc(0)));
    t.equal(testMachine(shell).rewind(100), -1);
  });

  await t.test('without the guest’s pages leaves them', async (t) => {
    const shell = await shellOf('scribble');
    testMachine(shell).setOmit(OMIT.guestPages);
    await serve(shell, requestFrame(Buffer.alloc(0)));
    testMachine(shell).rewind(1 << 20);
    t.not(testMachine(shell).differingPages().length, 0);
  });

  await t.test('without the host’s pages leaves an unread body', async (t) => {
    const shell = await shellOf('silent_reader');
    testMachine(shell).setOmit(OMIT.hostPages);
    await serve(shell, requestFrame(Buffer.alloc(0x20000, 's')));
    shell.rewind();
    t.not(testMachine(shell).differingPages().length, 0);
  });

  for (const part of ['generalRegisters', 'specialRegisters', 'vectorState'] as const) {
    await t.test(`without ${part} leaves them`, async (t) => {
      const expected = await probe(await shellOf('state'));
      const expectedDump = await dump(await shellOf('state'), DUMP);
      const fromOutside = await shellOf('state');
      const fromInside = await shellOf('state');
      for (const shell of [fromOutside, fromInside]) {
        await serve(shell, WRECK);
        testMachine(shell).setOmit(OMIT[part]);
        shell.rewind();
      }
      const seenOutside = await probe(fromOutside);
      const seenInside = await dump(fromInside, DUMP);
      t.notSame(
        { outside: seenOutside, inside: seenInside },
        { outside: expected, inside: expectedDump },
      );
    });
  }

  await t.test('without events delivers what was pending', async (t) => {
    const expected = await probe(await shellOf('state'));
    for (const omit of [0, OMIT.events]) {
      const shell = await shellOf('state');
      await serve(shell, DUMP);
      testMachine(shell).disturbEvents();
      testMachine(shell).setOmit(omit);
      t.ok(shell.rewind());
      const seen = await probe(shell);
      omit === 0 ? t.strictSame(seen, expected) : t.notSame(seen, expected);
    }
  });
});
