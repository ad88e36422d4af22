/** Guests that start up to their configuration, and go on with that of several functions. */

import t from 'tap';
import type { Configuration, Driver, Shell, Snapshot } from '../../src/drivers/driver.js';
import { openTestedDriver, untestable, untestableBut } from './driver-under-test.js';
import { AMPLE, MEMORY_BYTES, requestFrame, serve, soon, TestGuests } from './test-guests.js';

const ROOM = 8192;
const NAME_BYTES = 200;
const RANDOM_BYTES = 16;

const configured = (name: string): Configuration => new Map([['name', Buffer.from(name)]]);

function load(driver: Driver, guests: TestGuests, configuration: Configuration) {
  return driver.load({
    image: guests.image('configured'),
    configuration,
    configurationRoom: ROOM,
    memoryBytes: MEMORY_BYTES,
  });
}

const boot = (shell: Shell) => shell.run(undefined, soon(), AMPLE, 'thread');

/** What the guest found when it started. */
async function factsOf(shell: Shell) {
  const exit = await serve(shell, requestFrame(Buffer.alloc(0)));
  t.equal(exit.kind, 'respond');
  const body = Buffer.from(exit.payload.subarray(16));
  const after = NAME_BYTES + RANDOM_BYTES;
  return {
    name: body.subarray(0, NAME_BYTES).toString().replace(/\0+$/, ''),
    randomBefore: body.toString('hex', NAME_BYTES, after),
    randomAfter: body.toString('hex', after, after + RANDOM_BYTES),
    started: Number(body.readBigUInt64LE(after + RANDOM_BYTES)) / 1e6,
  };
}

t.test('a guest that starts unconfigured', { skip: untestable }, async (t) => {
  const guests = new TestGuests();
  const driver = openTestedDriver();
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });
  t.equal(guests.image('configured').startsUnconfigured, true, 'says so in a note');
  t.equal(guests.image('yields').startsUnconfigured, false);

  await t.test('goes on where nobody takes a snapshot of it', async (t) => {
    const cold = await load(driver, guests, configured('plain'));
    const shell = await cold.createShell({ reusable: false });
    t.equal((await boot(shell)).kind, 'unconfigured');
    t.equal((await boot(shell)).kind, 'ready');
    const { name, randomBefore, randomAfter } = await factsOf(shell);
    t.equal(name, 'plain');
    t.notMatch(randomAfter, /^0+$/, 'its entropy is there again');
    t.not(randomAfter, randomBefore);
    await shell.destroy();
    cold.close();
  });
});

/** The guest at its unconfigured point. */
async function unconfigured(driver: Driver, guests: TestGuests): Promise<Snapshot> {
  const cold = await load(driver, guests, new Map());
  const shell = await cold.createShell({ reusable: false });
  t.equal((await boot(shell)).kind, 'unconfigured');
  const snapshot = await shell.capture();
  await shell.destroy();
  cold.close();
  return snapshot;
}

t.test('an unconfigured snapshot', { skip: untestableBut('kvm') }, async (t) => {
  const guests = new TestGuests();
  const driver = openTestedDriver();
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });
  const snapshot = await unconfigured(driver, guests);
  t.equal(snapshot.state, 'unconfigured');

  const start = async (configuration: Configuration): Promise<Shell> => {
    const cold = snapshot.configure(configuration);
    if (cold === undefined) throw new Error('there was no room');
    t.equal(cold.state, 'cold');
    const shell = await cold.createShell({ reusable: false });
    t.equal((await boot(shell)).kind, 'ready');
    const ready = await shell.capture();
    await shell.destroy();
    cold.close();
    const made = await ready.createShell({ reusable: true });
    ready.close();
    return made;
  };

  await t.test('goes on with any configuration, each time with time and entropy', async (t) => {
    const before = Date.now();
    const [long, short] = [await start(configured('x'.repeat(150))), await start(configured('b'))];
    const [first, second] = [await factsOf(long), await factsOf(short)];
    t.equal(first.name, 'x'.repeat(150));
    t.equal(second.name, 'b', 'and nothing of the longer one before');
    t.equal(first.randomBefore, second.randomBefore, 'they have the same past');
    t.not(first.randomAfter, second.randomAfter);
    t.ok(first.started >= before - 1 && second.started >= first.started, 'and clocks of their own');
    for (const shell of [long, short]) {
      t.ok(shell.rewind(), 'they are rewound as others are');
      t.equal((await factsOf(shell)).name, shell === long ? first.name : 'b');
      await shell.destroy();
    }
  });

  await t.test('stays usable when those made of it are gone, and they without it', async (t) => {
    const other = await unconfigured(driver, guests);
    const cold = other.configure(configured('orphan'));
    other.close();
    const shell = await cold?.createShell({ reusable: false });
    cold?.close();
    if (shell === undefined) throw new Error('there was no room');
    t.equal((await boot(shell)).kind, 'ready');
    t.equal((await factsOf(shell)).name, 'orphan');
    await shell.destroy();
    t.throws(() => other.configure(configured('late')), { code: 'SHELL_GONE' });
  });

  await t.test('takes what there is room for, and nothing larger', async (t) => {
    // An item takes its sizes, two NULs and padding besides.
    const fitting = ROOM - 8 - 'filler'.length - 2 - 8;
    const filled = (bytes: number) => new Map([['filler', Buffer.alloc(bytes, 'x')]]);
    const cold = snapshot.configure(filled(fitting));
    t.ok(cold);
    cold?.close();
    t.equal(snapshot.configure(filled(ROOM)), undefined);
  });

  await t.test('is the only kind that can be configured', async (t) => {
    const cold = snapshot.configure(configured('a'));
    t.throws(() => cold?.configure(configured('b')), { code: 'INVALID_ARGUMENT' });
    cold?.close();
  });

  await t.test('is one only at the right moment', async (t) => {
    const again = snapshot.configure(new Map([['again', Buffer.from('1')]]));
    const shell = await again?.createShell({ reusable: false });
    t.equal((await boot(shell as Shell)).kind, 'unconfigured', 'the fabric refuses the second');
    await shell?.destroy();
    again?.close();
  });
});
