/** What a machine had in use, as it tells at its rewind and at its end, against its memory itself. */
import t, { type Test } from 'tap';
import type { Shell, Snapshot } from '../../src/drivers/driver.js';
import { KvmDriver } from '../../src/drivers/kvm.js';
import type { MemoryUse } from '../../src/usage.js';
import {
  kvmMissing,
  loadTestAddon,
  MEMORY_BYTES,
  readySnapshot,
  requestFrame,
  serve,
  TestGuests,
  testMachine,
} from './test-guests.js';

const PAGE = 4_096;
const NOTHING = requestFrame(Buffer.alloc(0));

t.test('memory in use', { skip: kvmMissing() }, async (t) => {
  const driver = new KvmDriver({ addon: loadTestAddon() });
  const guests = new TestGuests();
  const snapshots = new Map<string, Snapshot>();
  for (const name of ['scribble', 'silent_reader', 'spin']) {
    snapshots.set(name, await readySnapshot(driver, guests.image(name)));
  }
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });
  const shellOf = (name: string): Promise<Shell> =>
    // biome-ignore lint/style/noNonNullAssertion: filled above
    snapshots.get(name)!.createShell({ reusable: true });
  /** Bytes of the pages that are not those of the snapshot. */
  const changed = (shell: Shell) => testMachine(shell).differingPages().length * PAGE;
  const check = (t: Test, use: MemoryUse | false | undefined) => {
    if (use === undefined || use === false) {
      throw new Error('nothing is known');
    }
    t.ok(use.usedBytes >= use.dirtyBytes && use.usedBytes <= MEMORY_BYTES);
    t.ok(use.usedBytes % PAGE === 0 && use.dirtyBytes % PAGE === 0);
    return use;
  };

  await t.test('is what a rewind found, whatever was written before', async (t) => {
    const shell = await shellOf('silent_reader');
    for (const bytes of [0, 0x20000, 1, 0x10000, 0]) {
      await serve(shell, requestFrame(Buffer.alloc(bytes, 's')));
      const expected = changed(shell);
      const use = check(t, shell.rewind());
      t.equal(use.dirtyBytes, expected, `${bytes} bytes of a request`);
      t.ok(use.dirtyBytes >= bytes && use.dirtyBytes <= bytes + 16 * PAGE);
    }
    await shell.destroy();
  });

  await t.test('is what it was at the end', async (t) => {
    for (const name of ['scribble', 'silent_reader']) {
      const shell = await shellOf(name);
      await serve(shell, NOTHING);
      const expected = changed(shell);
      t.equal(check(t, (await shell.destroy()).memory).dirtyBytes, expected, name);
    }
    const rewound = await shellOf('silent_reader');
    await serve(rewound, requestFrame(Buffer.alloc(0x20000, 's')));
    rewound.rewind();
    await serve(rewound, NOTHING);
    const expected = changed(rewound);
    t.equal(check(t, (await rewound.destroy()).memory).dirtyBytes, expected, 'since the rewind');
    const { memory } = await (await shellOf('spin')).destroy();
    t.equal(check(t, memory).dirtyBytes, 0, 'of one that never ran');
  });

  await t.test('has what the snapshot has, and what was written beside it', async (t) => {
    const idle = await shellOf('scribble');
    const { usedBytes: snapshot, dirtyBytes } = check(t, idle.memoryUse());
    t.equal(dirtyBytes, 0);
    t.ok(snapshot > 0);
    await serve(idle, NOTHING);
    const all = check(t, idle.memoryUse());
    t.ok(all.dirtyBytes > 0.9 * MEMORY_BYTES, 'it wrote nearly everything');
    t.ok(all.usedBytes < snapshot + all.dirtyBytes, 'pages of both count once');
    t.equal((idle.dirtyBytes() ?? 0) <= all.dirtyBytes, true, 'what the host wrote for it counts');
    await idle.destroy();
    t.throws(() => idle.memoryUse(), { code: 'SHELL_GONE' });
  });

  await t.test('is not known where no record is kept', async (t) => {
    const ready = snapshots.get('spin') as Snapshot;
    // Those that a snapshot learns from keep one in any case.
    for (let lessons = 0; lessons < 3; lessons++) {
      const shell = await ready.createShell({ reusable: true });
      await serve(shell, NOTHING);
      await shell.destroy();
    }
    const shell = await ready.createShell({ reusable: false });
    await serve(shell, NOTHING);
    t.equal(shell.memoryUse(), undefined);
    t.equal((await shell.destroy()).memory, undefined);
  });
});
