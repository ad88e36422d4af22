/**
 * A rewound domain is the snapshot, bit by bit: seen from Dom0 (every page, ring 3's registers, the
 * vCPU's records) and from inside (a guest that dumps its own registers). And each component of a
 * rewind is needed: switched off, the comparison fails.
 */

import { createHash } from 'node:crypto';
import t from 'tap';
import type { Shell, Snapshot } from '../../src/drivers/driver.js';
import { XenDriver } from '../../src/drivers/xen.js';
import {
  AMPLE,
  readySnapshot,
  requestFrame,
  serve,
  soon,
  TestGuests,
} from '../drivers/test-guests.js';
import { comparableRecords } from './hvm-records.js';
import { loadXenTestAddon, MAILBOX, OMIT, xenMachine, xenMissing } from './xen-guests.js';

/** Where the state guest's dump has its vector state, of which there are 512 bytes on Xen. */
const VECTOR_OFFSET = 192;
const RFLAGS_OFFSET = 128;

const SIXTEEN_MEBIBYTES_OF_PAGES = 4096;

/** When a guest that spins is stopped: it has come so far by then also where the host is slow. */
const shortly = () => performance.now() + 1500;

/** To be compared: comparing arrays byte by byte takes the test's library long. */
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

t.test('rewind on Xen', { skip: xenMissing() }, async (t) => {
  const driver = new XenDriver({ addon: loadXenTestAddon() });
  const guests = new TestGuests();
  const snapshots = new Map<string, Snapshot>();
  for (const name of ['state', 'scribble', 'silent_reader', 'spin']) {
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
  const order = (wreck: boolean) => requestFrame(Buffer.from([Number(wreck), 0]));
  const DUMP = order(false);
  const WRECK = order(true);

  async function dump(shell: Shell, request: Uint8Array): Promise<Buffer> {
    const exit = await serve(shell, request);
    t.equal(exit.kind, 'respond', exit.fault?.reason ?? 'answered');
    return Buffer.from(exit.payload);
  }

  const registersOf = (shell: Shell) => hex(xenMachine(shell).state().frame);

  /** All that Dom0 can tell of a domain that waits, but for what time alone changes. */
  function seenFromDom0(shell: Shell): Record<string, string> {
    const { context, frame, sharedInfo, constant } = xenMachine(shell).state();
    // vcpu_info[0].time, which Xen keeps up, and the wall clock, which it sets at a domain's start.
    sharedInfo.fill(0, 32, 64);
    sharedInfo.fill(0, 3072, 3088);
    return {
      ...comparableRecords(context),
      frame: hex(frame),
      sharedInfo: digest(sharedInfo),
      constant: digest(constant),
    };
  }

  await t.test('of wrecked registers, from Dom0', async (t) => {
    const fresh = await shellOf('state');
    const ready = registersOf(fresh);
    await dump(fresh, DUMP);
    const expected = seenFromDom0(fresh);
    t.ok(Object.keys(expected).length >= 7, 'Xen tells the parts of the state');
    const shell = await shellOf('state');
    for (let round = 0; round < 3; round++) {
      await dump(shell, WRECK);
      t.not(registersOf(shell), expected.frame, 'it wrecked its registers');
      t.ok(shell.rewind());
      t.same(xenMachine(shell).differingPages(), []);
      t.equal(registersOf(shell), ready);
      await dump(shell, DUMP);
      t.strictSame(seenFromDom0(shell), expected);
      t.ok(shell.rewind());
    }
  });

  await t.test('of wrecked registers, from inside', async (t) => {
    const expected = await dump(await shellOf('state'), DUMP);
    const shell = await shellOf('state');
    t.equal(hex(await dump(shell, WRECK)), hex(expected), 'a clone starts equal');
    t.not(
      hex((await dump(shell, DUMP)).subarray(VECTOR_OFFSET)),
      hex(expected.subarray(VECTOR_OFFSET)),
      'it wrecked its vector state',
    );
    for (let round = 0; round < 3; round++) {
      t.ok(shell.rewind());
      t.equal(hex(await dump(shell, WRECK)), hex(expected));
    }
    const vectorState = expected.subarray(VECTOR_OFFSET, VECTOR_OFFSET + 512);
    t.equal(vectorState.readUInt16LE(0), 0x37f, 'the x87 control word is initial');
    t.equal(vectorState.readUInt32LE(24), 0x1f80, 'MXCSR is initial');
    t.ok(vectorState.subarray(32).every((byte) => byte === 0));
  });

  await t.test('of every page that a guest can write', async (t) => {
    const shell = await shellOf('scribble');
    const native = xenMachine(shell);
    const constant = digest(native.state().constant);
    for (let round = 0; round < 2; round++) {
      t.equal((await serve(shell, requestFrame(Buffer.alloc(0)))).kind, 'respond');
      t.ok(native.differingPages().length > 3000, 'nearly all of its pages are changed');
      t.ok(native.rewind(SIXTEEN_MEBIBYTES_OF_PAGES) >= 0);
      t.same(native.differingPages(), []);
      t.equal(digest(native.state().constant), constant, 'the page tables are as they were');
    }
  });

  await t.test('of a body that the guest never read', async (t) => {
    const shell = await shellOf('silent_reader');
    const secret = requestFrame(Buffer.alloc(0x40000 - 128 - 16, 's'));
    t.equal((await serve(shell, secret)).kind, 'respond');
    t.ok(xenMachine(shell).differingPages().length >= 64);
    t.ok(shell.rewind());
    t.same(xenMachine(shell).differingPages(), []);
  });

  await t.test('for ever: a counter is always 1', async (t) => {
    const shell = await shellOf('spin');
    const counts = new Set<number | undefined>();
    for (let round = 0; round < 200; round++) {
      counts.add((await serve(shell, requestFrame(Buffer.alloc(0)))).payload.at(-1));
      if (!shell.rewind()) {
        t.fail(`refused in round ${round}`);
        break;
      }
    }
    t.same([...counts], [1]);
    t.same(xenMachine(shell).differingPages(), []);
    await serve(shell, requestFrame(Buffer.alloc(0)));
    t.equal((await serve(shell, requestFrame(Buffer.alloc(0)))).payload.at(-1), 2, 'without one');
  });

  await t.test('refuses a shell that wrote too much', async (t) => {
    const shell = await shellOf('spin');
    await serve(shell, requestFrame(Buffer.alloc(0)));
    t.equal(xenMachine(shell).rewind(1), -1);
    t.ok(shell.rewind(), 'for that limit');
  });

  await t.test('refuses a shell without a record, and one in the middle of a run', async (t) => {
    // biome-ignore lint/style/noNonNullAssertion: filled above
    const unrecorded = await snapshots.get('spin')!.createShell({ reusable: false });
    t.equal((await serve(unrecorded, requestFrame(Buffer.alloc(0)))).kind, 'respond');
    t.equal(unrecorded.rewind(), false);
    const busy = await shellOf('spin');
    const spin = { reason: 'request', bytes: requestFrame(Buffer.from('s')) } as const;
    const exit = await busy.run(spin, shortly(), AMPLE, 'thread');
    t.equal(exit.kind, 'deadline');
    t.equal(busy.rewind(), false);
  });

  await t.test('takes no notice of events that answer nothing', async (t) => {
    const shell = await shellOf('spin');
    for (let round = 0; round < 20; round++) {
      xenMachine(shell).notifySpuriously();
      const exit = await serve(shell, requestFrame(Buffer.alloc(0)));
      xenMachine(shell).notifySpuriously();
      t.equal(exit.payload.at(-1), 1);
      t.ok(shell.rewind());
    }
  });

  await t.test('refuses a domain that is not what it was made as', async (t) => {
    const changes: Record<string, (shell: Shell) => void> = {
      'has one more event channel': (shell) => xenMachine(shell).allocatePort(),
      'has one more page': (shell) => xenMachine(shell).addPage(),
      'has a page of Xen’s': (shell) => xenMachine(shell).mapGrantTable(),
      'is shut down': (shell) => xenMachine(shell).shutDown(3),
    };
    for (const [name, change] of Object.entries(changes)) {
      const shell = await shellOf('spin');
      t.equal((await serve(shell, requestFrame(Buffer.alloc(0)))).kind, 'respond');
      change(shell);
      t.equal(shell.rewind(), false, name);
      await shell.destroy();
    }
    const shell = await shellOf('spin');
    await serve(shell, requestFrame(Buffer.alloc(0)));
    xenMachine(shell).allocatePort();
    xenMachine(shell).setOmit(OMIT.domainCheck);
    t.ok(shell.rewind(), 'without the check it is taken');
  });

  await t.test('never leads to ring 0, whatever is in the frame', async (t) => {
    const expected = await dump(await shellOf('state'), DUMP);
    const shell = await shellOf('state');
    const native = xenMachine(shell);
    native.writeMailbox(MAILBOX.cs, 0x08n);
    native.writeMailbox(MAILBOX.ss, 0x10n);
    // IF, IOPL 3, VM, VIF, VIP.
    native.writeMailbox(MAILBOX.rflags, 0x1a3202n);
    const seen = await dump(shell, DUMP);
    const flags = seen.readBigUInt64LE(RFLAGS_OFFSET);
    t.equal(flags & 0x1a3200n, 0n, 'no privileges in its flags');
    t.ok(seen.subarray(VECTOR_OFFSET).equals(expected.subarray(VECTOR_OFFSET)));
    const privileged = await shellOf('state');
    // The stub's entry: ring 3 may not run it.
    xenMachine(privileged).writeMailbox(MAILBOX.cs, 0x08n);
    xenMachine(privileged).writeMailbox(MAILBOX.rip, 0x100200n);
    const refused = await serve(privileged, DUMP);
    t.match(refused.fault?.reason, /jump to 0x100200, which is not executable/);
  });

  await t.test('reports an address that no frame can have', async (t) => {
    const shell = await shellOf('state');
    xenMachine(shell).writeMailbox(MAILBOX.rip, 0x8000000000000000n);
    const exit = await serve(shell, DUMP);
    t.equal(exit.kind, 'crash');
    t.match(exit.fault?.reason, /^general protection fault/);
    t.equal(shell.rewind(), false);
  });

  await t.test('is not to be had of a domain whose stub faults on and on', async (t) => {
    const shell = await shellOf('state');
    // Not executable: calling it faults, and so does the call that would report that.
    xenMachine(shell).writeMailbox(MAILBOX.handler, 0x200000n);
    const exit = await shell.run({ reason: 'request', bytes: DUMP }, soon(), AMPLE, 'thread');
    t.equal(exit.kind, 'crash');
    t.match(exit.fault?.reason, /triple fault/);
    t.equal(shell.rewind(), false);
  });

  await t.test('without the guest’s pages leaves them', async (t) => {
    const shell = await shellOf('spin');
    xenMachine(shell).setOmit(OMIT.guestPages);
    await serve(shell, requestFrame(Buffer.alloc(0)));
    t.ok(shell.rewind());
    t.not(xenMachine(shell).differingPages().length, 0);
    t.equal((await serve(shell, requestFrame(Buffer.alloc(0)))).payload.at(-1), 2, 'as it shows');
  });

  await t.test('without the host’s pages leaves an unread body', async (t) => {
    const shell = await shellOf('silent_reader');
    xenMachine(shell).setOmit(OMIT.hostPages);
    await serve(shell, requestFrame(Buffer.alloc(0x20000, 's')));
    shell.rewind();
    t.not(xenMachine(shell).differingPages().length, 0);
  });

  await t.test('without the general registers goes on with the wrecked ones', async (t) => {
    const ready = registersOf(await shellOf('state'));
    const shell = await shellOf('state');
    await dump(shell, WRECK);
    xenMachine(shell).setOmit(OMIT.generalRegisters);
    t.ok(shell.rewind());
    t.not(registersOf(shell), ready);
  });

  await t.test('without the vector state shows the wrecked one', async (t) => {
    const expected = await dump(await shellOf('state'), DUMP);
    const shell = await shellOf('state');
    await dump(shell, WRECK);
    t.ok(shell.rewind());
    xenMachine(shell).setOmit(OMIT.vectorState);
    const seen = await dump(shell, DUMP);
    t.ok(seen.subarray(0, VECTOR_OFFSET).equals(expected.subarray(0, VECTOR_OFFSET)));
    t.notOk(seen.subarray(VECTOR_OFFSET).equals(expected.subarray(VECTOR_OFFSET)));
  });

  await t.test('without the check of the exit goes on where the guest was', async (t) => {
    const shell = await shellOf('spin');
    const spin = { reason: 'request', bytes: requestFrame(Buffer.from('s')) } as const;
    const first = await shell.run(spin, shortly(), AMPLE, 'thread');
    t.equal(first.kind, 'deadline', 'a guest at its snapshot point takes the order and spins');
    xenMachine(shell).setOmit(OMIT.exitCheck);
    t.ok(shell.rewind());
    // Its memory is the snapshot's, in which it has no order; its registers are not.
    const second = await shell.run(spin, soon(), AMPLE, 'thread');
    t.equal(second.kind, 'respond');
  });
});
