/**
 * Every system call that the driver makes may fail: each is made to, with each errno, and must give
 * a typed error or be made good, leave nothing behind, and not spoil what comes next.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { Exit, Shell, Snapshot, Where } from '../../src/drivers/driver.js';
import { KvmDriver } from '../../src/drivers/kvm.js';
import { attack, ERRNOS, errorOf, names, type Operation, type Tolerated } from './fault-attack.js';
import {
  AMPLE,
  faultsOf,
  kvmMissing,
  loadTestAddon,
  MEMORY_BYTES,
  readySnapshot,
  requestFrame,
  serve,
  soon,
  TestGuests,
} from './test-guests.js';

/** `MemoryViews::kAlone`. */
const ALONE = 16;

const ANSWER = requestFrame(Buffer.from('a'));
const allMappings = () => readFileSync('/proc/self/maps', 'latin1').split('\n').length;
const allThreads = () => readdirSync('/proc/self/task').length;

t.test('faults', { skip: kvmMissing() }, async (t) => {
  const addon = loadTestAddon();
  const faults = faultsOf(addon);
  const guests = new TestGuests();
  const image = guests.image('spin');
  const file = guests.file('spin');
  const crashing = guests.image('exits');
  const starting = guests.image('configured');
  guests.remove();
  const load = (driver: KvmDriver) =>
    driver.load({ image, configuration: new Map(), memoryBytes: MEMORY_BYTES });

  const findNothing = <State>(name: string, operation: () => Operation<State>) =>
    t.test(name, async (t) => {
      const { wrong, calls, cases } = await attack(faults, operation());
      t.comment(`${cases} cases: ${calls.join(', ')}`);
      t.same(wrong, []);
    });

  await t.test('where a process makes its first shell', async (t) => {
    const driver = new KvmDriver({ addon });
    const cold = await load(driver);
    // The thread that makes shells, then the watchdog's signal handler, and the watchdog.
    for (const call of ['pthread_create', 'sigaction', 'pthread_create']) {
      faults.inject(call, 1, constants.errno.EAGAIN);
      const error = await errorOf(() => cold.createShell({ reusable: true }));
      t.ok(faults.injected(), call);
      t.ok(names(error, call, 'EAGAIN'), String(error));
      await sleep(200); // until the thread that makes shells is idle again
    }
    const shell = await cold.createShell({ reusable: true });
    t.equal((await shell.run(undefined, soon(), AMPLE, 'thread')).kind, 'ready');
    await driver.close();
  });

  const mappings = allMappings();
  const threads = allThreads();

  await findNothing<undefined>('while KVM is opened', () => ({
    prepare: async () => undefined,
    act: async () => new KvmDriver({ addon }),
    cleanUp: async () => undefined,
  }));

  await findNothing<KvmDriver>('while an image is loaded', () => ({
    prepare: async () => new KvmDriver({ addon }),
    act: load,
    cleanUp: (driver) => driver.close(),
  }));

  const driver = new KvmDriver({ addon });
  const cold = await load(driver);
  const ready = await readySnapshot(driver, image);
  const odd = await readySnapshot(driver, crashing);
  t.teardown(() => driver.close());

  const shellOf = (snapshot: Snapshot, reusable = true) => snapshot.createShell({ reusable });
  /** An operation on a shell that `prepare` makes. */
  const onShell = (
    prepare: () => Promise<Shell>,
    act: (shell: Shell) => unknown,
    tolerated?: Tolerated,
  ): Operation<Shell> => ({
    prepare,
    act: async (shell) => act(shell),
    cleanUp: async (shell) => void (await shell.destroy()),
    ...(tolerated === undefined ? {} : { tolerated }),
  });
  const creating = (snapshot: Snapshot, reusable: boolean): Operation<{ made?: Shell }> => ({
    prepare: async () => ({}),
    act: async (state) => {
      state.made = await shellOf(snapshot, reusable);
    },
    cleanUp: async (state) => void (await state.made?.destroy()),
  });
  const booted = async () => {
    const shell = await shellOf(cold);
    await shell.run(undefined, soon(), AMPLE, 'thread');
    return shell;
  };
  const served = async () => {
    const shell = await shellOf(ready);
    await serve(shell, ANSWER);
    return shell;
  };
  for (let lessons = 0; lessons < 3; lessons++) {
    await (await served()).destroy();
  }
  const expectKind = (kind: string, exit: Exit) => {
    if (exit.kind !== kind) {
      throw new Error(`it ended with ${exit.kind}`);
    }
  };

  await findNothing('while a cold shell is made', () => creating(cold, false));
  await findNothing('while a shell boots', () =>
    onShell(
      () => shellOf(cold),
      async (shell) => expectKind('ready', await shell.run(undefined, soon(), AMPLE, 'thread')),
    ),
  );
  await findNothing<{ shell: Shell; captured?: Snapshot }>('while a snapshot is taken', () => ({
    prepare: async () => ({ shell: await booted() }),
    act: async (state) => {
      state.captured = await state.shell.capture();
    },
    cleanUp: async ({ shell, captured }) => {
      captured?.close();
      await shell.destroy();
    },
    // To be interrupted is what the capture's KVM_RUN is for.
    impossible: new Map([['KVM_RUN', ['EINTR']]]),
  }));
  await findNothing<{ shell: Shell; captured: Snapshot }>(
    'while a shell joins its snapshot',
    () => ({
      prepare: async () => {
        const shell = await booted();
        return { shell, captured: await shell.capture() };
      },
      act: async ({ shell }) => {
        if (!shell.joinCaptured()) {
          throw new Error('it did not join');
        }
      },
      cleanUp: async ({ shell, captured }) => {
        captured.close();
        await shell.destroy();
      },
      calls: ['KVM_GET_DIRTY_LOG', 'ioctl(PAGEMAP_SCAN)', 'KVM_CLEAR_DIRTY_LOG'],
    }),
  );
  await findNothing('while a shell is made that is not rewound', () => creating(ready, false));
  for (const where of ['inline', 'lane', 'thread'] satisfies Where[]) {
    await findNothing(`while a shell serves (${where})`, () =>
      onShell(
        () => shellOf(ready),
        async (shell) => {
          const how = { reason: 'request', bytes: ANSWER } as const;
          expectKind('respond', await shell.run(how, soon(), AMPLE, where));
        },
      ),
    );
  }
  await findNothing<{ snapshot: Snapshot; shell: Shell }>('while a snapshot learns', () => ({
    prepare: async () => {
      const snapshot = await readySnapshot(driver, image);
      return { snapshot, shell: await shellOf(snapshot) };
    },
    act: async ({ shell }) => expectKind('respond', await serve(shell, ANSWER)),
    cleanUp: async ({ snapshot, shell }) => {
      await shell.destroy();
      snapshot.close();
    },
    calls: ['KVM_GET_DIRTY_LOG'],
    tolerated: new Map([['KVM_GET_DIRTY_LOG', ERRNOS]]), // it answers all the same
  }));
  await findNothing('while a shell is made by what the snapshot has learnt', () =>
    creating(ready, true),
  );
  await findNothing('while a shell is rewound', () =>
    onShell(served, (shell) => {
      if (!shell.rewind()) {
        throw new Error('it was not rewound');
      }
    }),
  );
  await findNothing('while a shell serves many, with fresh entropy', () => ({
    ...onShell(
      () => shellOf(ready),
      async (shell) => {
        for (let round = 0; round < 70; round++) {
          expectKind('respond', await serve(shell, ANSWER));
        }
      },
    ),
    calls: ['getrandom'],
  }));
  await findNothing('while written memory is counted', () =>
    onShell(served, (shell) => shell.dirtyBytes()),
  );
  await findNothing('while a guest crashes', () =>
    onShell(
      () => shellOf(odd),
      async (shell) => expectKind('crash', await serve(shell, requestFrame(Buffer.from('q')))),
      new Map([['KVM_GET_REGS', ERRNOS]]), // then the place of the crash is not known
    ),
  );
  await findNothing('while the memory in use is told', () =>
    onShell(served, (shell) => shell.memoryUse()),
  );
  /** It goes in any case; what it had in use is not known then. */
  const unmeasured = ['KVM_GET_DIRTY_LOG', 'ioctl(PAGEMAP_SCAN)'].map(
    (call) => [call, ERRNOS] as const,
  );
  await findNothing('while a shell is destroyed', () =>
    onShell(served, (shell) => shell.destroy(), new Map(unmeasured)),
  );
  await t.test('where a destroyed shell cannot be measured', async (t) => {
    const { memory } = await (await served()).destroy();
    t.match(memory, { dirtyBytes: Number, usedBytes: Number });
    const shell = await served();
    faults.inject('KVM_GET_DIRTY_LOG', 1, constants.errno.EIO);
    t.equal((await shell.destroy()).memory, undefined);
    t.ok(faults.injected());
  });

  const unconfigured = await (async () => {
    const plain = await driver.load({
      image: starting,
      configuration: new Map(),
      memoryBytes: MEMORY_BYTES,
    });
    const shell = await shellOf(plain);
    expectKind('unconfigured', await shell.run(undefined, soon(), AMPLE, 'thread'));
    const snapshot = await shell.capture();
    await shell.destroy();
    plain.close();
    return snapshot;
  })();
  await findNothing<{ made?: Snapshot | undefined }>('while a snapshot is configured', () => ({
    prepare: async () => ({}),
    act: async (state) => {
      state.made = unconfigured.configure(new Map([['name', Buffer.from('a')]]));
    },
    cleanUp: async ({ made }) => made?.close(),
  }));
  unconfigured.close();

  const crowd = await Promise.all(Array.from({ length: ALONE }, () => shellOf(ready)));
  await (await shellOf(ready)).destroy(); // from now on the snapshot is there repeatedly
  await findNothing('while a shell is made that shares a mapping', () => creating(ready, true));
  await findNothing('while such a shell is destroyed', () =>
    onShell(
      served,
      (shell) => shell.destroy(),
      new Map([...unmeasured, ['madvise(MADV_DONTNEED)', ERRNOS]]), // nobody else gets its place
    ),
  );
  /** With half of them the snapshot is there only once again. */
  const thinOut = async () => {
    const leaving = crowd.splice(0, ALONE / 2);
    await Promise.all(leaving.map((shell) => shell.destroy()));
    crowd.push(...(await Promise.all(leaving.map(() => shellOf(ready)))));
  };
  await thinOut();
  await findNothing<{ made?: Shell }>('while a snapshot is repeated', () => ({
    ...creating(ready, true),
    cleanUp: async ({ made }) => {
      await made?.destroy();
      await thinOut();
    },
    calls: [
      ...['memfd_create', 'ftruncate', 'pwrite', 'fcntl(F_ADD_SEALS)'],
      ...['mmap', 'madvise(MADV_DONTFORK)'],
    ],
  }));
  await Promise.all(crowd.map((shell) => shell.destroy()));

  await t.test('where a thread cannot be started', async (t) => {
    const script = new URL('./faults-worker.js', import.meta.url);
    for (let number = 1; number <= 5; number++) {
      const worker = new Worker(script, { workerData: { number, file } });
      const wrong = await errorOf(
        () =>
          new Promise((resolve, reject) => {
            worker.once('message', (found: string[]) =>
              found.length === 0 ? resolve(found) : reject(new Error(found.join('\n'))),
            );
            worker.once('error', reject);
          }),
      );
      t.equal(wrong, undefined, `thread ${number}`);
      await worker.terminate();
    }
  });

  // Allocators map, too, but not for each of a thousand cases.
  t.ok(allMappings() < mappings + 400, `${mappings} mappings have become ${allMappings()}`);
  t.ok(allThreads() < threads + 12, `${threads} threads have become ${allThreads()}`);
});
