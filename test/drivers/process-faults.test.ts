/**
 * As faults.test.ts, of the driver that has its guests in processes: every system call that it makes is
 * made to fail, with each errno.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Exit, Shell, Snapshot } from '../../src/drivers/driver.js';
import { ProcessDriver } from '../../src/drivers/process.js';
import { loadProcessGuestsAddon } from '../../src/drivers/process-guests-native.js';
import { attack, ERRNOS, type Errno, type Operation, type Tolerated } from './fault-attack.js';
import { isAlive, processesMissing, spawnersOf } from './processes.js';
import {
  AMPLE,
  faultsOf,
  MEMORY_BYTES,
  readySnapshot,
  requestFrame,
  soon,
  TestGuests,
} from './test-guests.js';

const ANSWER = requestFrame(Buffer.from('a'));

/** It goes in any case; what it had in use is not known then. */
const ENDING: Tolerated = new Map<string, readonly Errno[]>([
  ['poll', ERRNOS],
  ['recvmsg', ERRNOS],
]);

/** That a guest does not read what it is told says something of the guest. */
const IMPOSSIBLE: Tolerated = new Map([['send(guest)', ['EAGAIN' as const]]]);

t.test('faults', { skip: processesMissing() }, async (t) => {
  const addon = loadProcessGuestsAddon('hatchery_process_guests_test');
  const faults = faultsOf(addon);
  const guests = new TestGuests();
  const image = guests.image('spin');
  const crashing = guests.image('forbidden');
  guests.remove();
  const load = (driver: ProcessDriver) =>
    driver.load({ image, configuration: new Map(), memoryBytes: MEMORY_BYTES });
  const expectKind = (kind: string, exit: Exit) => {
    if (exit.kind !== kind) {
      throw new Error(`it ended with ${exit.kind}: ${exit.fault?.reason}`);
    }
  };
  const findNothing = <State>(name: string, operation: Operation<State>) =>
    t.test(name, async (t) => {
      const { wrong, calls, cases } = await attack(faults, {
        impossible: IMPOSSIBLE,
        ...operation,
      });
      t.comment(`${cases} cases: ${calls.join(', ')}`);
      t.ok(cases > 0);
      t.same(wrong, []);
    });

  await findNothing<{ driver?: ProcessDriver }>('while the spawner is started', {
    prepare: async () => {
      const all = spawnersOf(process.pid);
      for (const spawner of all) process.kill(spawner, 'SIGKILL');
      while (all.some(isAlive)) await sleep(2);
      return {};
    },
    act: async (state) => {
      state.driver = new ProcessDriver({ addon });
    },
    cleanUp: async ({ driver }) => {
      await driver?.close();
      await sleep(2); // until the event loop has closed what it watched
    },
  });

  const driver = new ProcessDriver({ addon });
  t.teardown(() => driver.close());
  await findNothing<{ made?: Snapshot }>('while an image is loaded', {
    prepare: async () => ({}),
    act: async (state) => {
      state.made = await load(driver);
    },
    cleanUp: async ({ made }) => made?.close(),
  });

  const cold = await load(driver);
  const shellOf = (snapshot: Snapshot) => snapshot.createShell({ reusable: false });
  const boot = async (shell: Shell) =>
    expectKind('ready', await shell.run(undefined, soon(), AMPLE, 'thread'));
  const end = async ({ made }: { made?: Shell }) => void (await made?.destroy());
  await findNothing<{ made?: Shell }>('while a launcher is started', {
    prepare: async () => ({}),
    act: async (state) => {
      state.made = await shellOf(cold);
    },
    cleanUp: end,
  });
  await findNothing<{ made: Shell }>('while it boots', {
    prepare: async () => ({ made: await shellOf(cold) }),
    act: ({ made }) => boot(made),
    cleanUp: end,
  });
  await findNothing<{ made: Shell; captured?: Snapshot }>('while a snapshot is taken', {
    prepare: async () => {
      const made = await shellOf(cold);
      await boot(made);
      return { made };
    },
    act: async (state) => {
      state.captured = await state.made.capture();
    },
    cleanUp: async (state) => {
      state.captured?.close();
      await end(state);
    },
  });
  await findNothing<{ ready: Snapshot; made?: Shell }>('while a guest is forked', {
    // A fork of which nobody knows what became costs the whole family: the next is another one's.
    prepare: async () => ({ ready: await readySnapshot(driver, image) }),
    act: async (state) => {
      state.made = await shellOf(state.ready);
    },
    cleanUp: async (state) => {
      await end(state);
      state.ready.close();
    },
  });

  const ready = await readySnapshot(driver, image);
  const forked = async () => ({ made: await shellOf(ready) });
  for (const where of ['inline', 'thread'] as const) {
    await findNothing<{ made: Shell }>(`while it serves (${where})`, {
      prepare: forked,
      act: async ({ made }) => {
        const how = { reason: 'request', bytes: ANSWER } as const;
        expectKind('respond', await made.run(how, soon(), AMPLE, where));
      },
      cleanUp: end,
    });
  }
  await findNothing<{ made: Shell }>('while its memory is asked about', {
    prepare: forked,
    act: async ({ made }) => made.memoryUse(),
    cleanUp: end,
  });
  await findNothing<{ made: Shell }>('while it is destroyed', {
    prepare: forked,
    act: ({ made }) => made.destroy(),
    cleanUp: end,
    tolerated: ENDING,
  });
  const odd = await readySnapshot(driver, crashing);
  await findNothing<{ made: Shell }>('while it crashes', {
    prepare: async () => ({ made: await shellOf(odd) }),
    act: async ({ made }) => {
      const how = { reason: 'request', bytes: requestFrame(Buffer.from('v')) } as const;
      expectKind('crash', await made.run(how, soon(), AMPLE, 'thread'));
    },
    cleanUp: end,
    tolerated: ENDING,
  });
  const { kind } = await (await shellOf(ready)).run(
    { reason: 'request', bytes: ANSWER },
    soon(),
    AMPLE,
    'thread',
  );
  t.equal(kind, 'respond', 'after all that a guest serves');
});
