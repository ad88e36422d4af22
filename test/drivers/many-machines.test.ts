/**
 * Many machines in one process, which share mappings (native/kvm/memory_views.h) and do not keep all
 * of them (run_mapping.h): none of that may be noticed, by a guest or by anybody else.
 */

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Shell } from '../../src/drivers/driver.js';
import { KvmDriver } from '../../src/drivers/kvm.js';
import { errorOf, names } from './fault-attack.js';
import {
  AMPLE,
  faultsOf,
  kvmMissing,
  loadTestAddon,
  readySnapshot,
  requestFrame,
  serve,
  TestGuests,
  testMachine,
} from './test-guests.js';

/** `RunMapping::kMost` and `kKept`. */
const MOST = 256;
const KEPT = 128;
const MACHINES = MOST + 50;
/** Milliseconds. */
const MINUTE = 60_000;

const ANSWER = requestFrame(Buffer.from('a'));
const SPIN = { reason: 'request', bytes: requestFrame(Buffer.from('s')) } as const;

/** `MemoryViews::kAlone` and `kMostInRow`. */
const ALONE = 16;
const IN_ROW = 16;

const countMappings = (name: string) =>
  readFileSync('/proc/self/maps', 'latin1').split(name).length - 1;
const countMapped = () => countMappings('kvm-vcpu');
const countMemories = () => countMappings('memfd:hatchery-snapshot');
/** How many requests its guest says that it has served. */
const count = async (shell: Shell) => (await serve(shell, ANSWER)).payload[16];

t.test('many machines', { skip: kvmMissing() }, async (t) => {
  const addon = loadTestAddon();
  const faults = faultsOf(addon);
  const guests = new TestGuests();
  const driver = new KvmDriver({ addon });
  const snapshot = await readySnapshot(driver, guests.image('spin'));
  guests.remove();
  t.teardown(() => driver.close());

  const make = () => snapshot.createShell({ reusable: true });
  /** Each has served once. */
  const shells: Shell[] = [];
  await t.test('are unmapped, the oldest first', async (t) => {
    t.equal(countMapped(), 0, 'none that has not run');
    for (let number = 0; number < MACHINES; number++) {
      const shell = await make();
      shells.push(shell);
      t.equal(await count(shell), 1);
    }
    t.equal(countMapped(), MACHINES - (MOST + 1 - KEPT));
  });
  const [oldest, second, third, fourth, ...others] = shells as [
    Shell,
    Shell,
    Shell,
    Shell,
    ...Shell[],
  ];

  await t.test('keep their state, and are rewound', async (t) => {
    const mapped = countMapped();
    t.equal(await count(oldest), 2);
    t.equal(countMapped(), mapped + 1, 'it had been unmapped');
    t.ok(second.rewind());
    t.equal(await count(second), 1);
    for (const shell of others) {
      t.equal(await count(shell), 2);
    }
    t.equal(countMapped(), MACHINES - 2, 'what runs only takes nothing away from others');
  });

  await t.test('of which one cannot be mapped: an error, and it is not used again', async (t) => {
    const mapped = countMapped();
    for (const [call, shell] of [
      ['mmap', third],
      ['madvise(MADV_DONTFORK)', fourth],
    ] as const) {
      faults.inject(call, 1, constants.errno.ENOMEM);
      const error = await errorOf(() => serve(shell, ANSWER));
      t.ok(faults.injected(), call);
      t.ok(names(error, call, 'ENOMEM'), String(error));
      t.equal(shell.rewind(), false);
    }
    t.equal(countMapped(), mapped);
  });

  await t.test('are interrupted at their deadline after they were mapped anew', async (t) => {
    await (await make()).destroy();
    t.equal(countMapped(), KEPT, 'so these were not');
    for (const [number, where] of (['inline', 'lane', 'thread'] as const).entries()) {
      const started = performance.now();
      const exit = await (others[number] as Shell).run(SPIN, started + 60, AMPLE, where);
      t.equal(exit.kind, 'deadline');
      t.ok(performance.now() - started >= 59, 'not before its time');
    }
    t.equal(countMapped(), KEPT + 3);
  });

  await t.test('that run stay mapped while others are unmapped', async (t) => {
    const running = others.slice(3, 13);
    const runs = running.map((shell) =>
      Promise.resolve(shell.run(SPIN, performance.now() + MINUTE, MINUTE, 'thread')).catch(
        (error) => error,
      ),
    );
    // Each is mapped by its own thread, which has to get a processor first.
    for (let tries = 0; countMapped() < KEPT + 3 + running.length && tries < 400; tries += 1) {
      await sleep(5);
    }
    t.equal(countMapped(), KEPT + 3 + running.length, 'all run');
    for (const shell of others.slice(13)) {
      await count(shell);
    }
    t.ok(countMapped() > MOST);
    await (await make()).destroy();
    // Between two slices of its run one is not used for a moment, and is the one that was used last.
    const mapped = countMapped();
    const places = `${mapped - KEPT} of ${running.length}`;
    t.ok(mapped > KEPT && mapped <= KEPT + running.length, `not even as the oldest: ${places}`);
    await Promise.all(running.map((shell) => shell.destroy()));
    for (const run of runs) {
      t.match(await run, { code: 'SHELL_GONE' }, 'until it was destroyed');
    }
  });

  await t.test('leave nothing mapped behind', async (t) => {
    await Promise.all(shells.map((shell) => shell.destroy()));
    t.equal(countMapped(), 0);
    t.equal(countMemories(), 1, 'the snapshot itself');
  });

  await t.test('have their memory side by side', async (t) => {
    const makeSeveral = (count: number) => Promise.all(Array.from({ length: count }, make));
    const alone = await makeSeveral(ALONE);
    t.equal(countMemories(), 1 + ALONE);
    const row = await makeSeveral(IN_ROW);
    t.equal(countMemories(), 1 + ALONE + 1);
    const next = await make();
    t.equal(countMemories(), 1 + ALONE + 2);

    for (const shell of [...row, next, ...alone]) {
      t.same(testMachine(shell).differingPages(), []);
      t.equal(await count(shell), 1, 'what others wrote is not there');
    }
    for (const shell of row) {
      t.ok(shell.rewind());
      t.same(testMachine(shell).differingPages(), []);
      t.equal(await count(shell), 1);
    }

    const [left, ...others] = row as [Shell, ...Shell[]];
    await left.destroy();
    const again = await make();
    t.equal(countMemories(), 1 + ALONE + 2, 'in the same place');
    t.same(testMachine(again).differingPages(), [], 'which nobody has written to');
    t.equal(await count(again), 1);

    faults.inject('madvise(MADV_DONTNEED)', 1, constants.errno.EINVAL);
    await again.destroy();
    t.ok(faults.injected());
    const elsewhere = await make();
    t.same(testMachine(elsewhere).differingPages(), [], 'not where it could not be emptied');
    t.equal(await count(elsewhere), 1);

    await Promise.all([...others, elsewhere].map((shell) => shell.destroy()));
    t.equal(countMemories(), 1 + ALONE + 1, 'the row is gone, the other one is not');
    await Promise.all([...alone, next].map((shell) => shell.destroy()));
    t.equal(countMemories(), 1);
  });
});
