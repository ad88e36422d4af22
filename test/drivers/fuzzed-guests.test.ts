/** Guests that do anything with the channel and the doorbell: random programs, on the real driver. */

import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import {
  type Exit,
  type ExitKind,
  RESPONSE_CAPACITY,
  type Resume,
  type Shell,
} from '../../src/drivers/driver.js';
import { KvmDriver } from '../../src/drivers/kvm.js';
import {
  kvmMissing,
  loadTestAddon,
  readySnapshot,
  requestFrame,
  serve,
  TestGuests,
  testMachine,
} from './test-guests.js';

const PROGRAMS = 500;
/** What a program may use, milliseconds: some burn all that they get. */
const WALL_MILLISECONDS = 60;
const CPU_MILLISECONDS = 15;
/** A leak would grow with the programs; sanitizers keep what was freed for a while. */
const FLAT_BYTES = (process.env.LD_PRELOAD?.includes('asan') ? 512 : 64) << 20;
const MOST_EXITS = 12;
const LOG_CAPACITY = 0x10000;
const KINDS: ReadonlySet<ExitKind> = new Set([
  'ready',
  'respond',
  'pull',
  'push',
  'finish',
  'log',
  'call',
  'wait',
  'unconfigured',
  'panic',
  'crash',
  'deadline',
  'cpu',
]);
/** After these a guest does not go on. */
const LAST: ReadonlySet<ExitKind> = new Set(['panic', 'crash', 'deadline', 'cpu']);

/** One step of a program, as test/guests/adversary.c has it; most leave the guest alive. */
const instruction = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(0, 1, 2, 3, 6, 7) },
      { weight: 1, arbitrary: fc.constantFrom(4, 5, 8) },
    ),
    fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 })),
    fc.integer({ min: 0, max: 0xffff }),
    fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 0xffffffff })),
    fc.oneof(
      fc.constantFrom(0, 1, 0xffff, 0x10000, 0x10001, 0x3ffff, 0x40000, 0x40001, 0xffffffff),
      fc.integer({ min: 0, max: 0xffffffff }),
    ),
  )
  .map(([what, operation, flags, offset, value]) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt8(what, 0);
    bytes.writeUInt8(operation, 1);
    bytes.writeUInt16LE(flags, 2);
    bytes.writeUInt32LE(offset, 4);
    bytes.writeUInt32LE(value, 8);
    return bytes;
  });

const resumes: fc.Arbitrary<Resume> = fc.oneof(
  fc.constantFrom<Resume>({ reason: 'continue' }, { reason: 'timer' }),
  fc
    .tuple(fc.constantFrom('chunk', 'completion', 'request'), fc.uint8Array({ maxLength: 300 }))
    .map(([reason, bytes]) => ({ reason, bytes }) as Resume),
);

const programs = fc.record({
  code: fc.array(instruction, { minLength: 1, maxLength: 12 }),
  resumes: fc.array(resumes, { minLength: 1, maxLength: 4 }),
  where: fc.constantFrom('inline' as const, 'lane' as const, 'thread' as const),
});

const openDescriptors = () => readdirSync('/proc/self/fd').length;

t.test('fuzzed guests', { skip: kvmMissing() }, async (t) => {
  const guests = new TestGuests();
  const driver = new KvmDriver({ addon: loadTestAddon() });
  const snapshot = await readySnapshot(driver, guests.image('adversary'));
  guests.remove();
  t.teardown(() => driver.close());

  const seen = new Map<ExitKind, number>();
  const check = (exit: Exit) => {
    seen.set(exit.kind, (seen.get(exit.kind) ?? 0) + 1);
    const stopped = exit.kind === 'deadline' || exit.kind === 'cpu';
    const sound =
      KINDS.has(exit.kind) &&
      exit.payload.length <= (exit.kind === 'crash' || stopped ? 0 : RESPONSE_CAPACITY) &&
      (exit.logs?.length ?? 0) <= LOG_CAPACITY &&
      (exit.kind === 'crash') === (exit.fault !== undefined);
    if (!sound) {
      const { kind, payload, logs, fault } = exit;
      const sizes = `${payload.length} and ${logs?.length} bytes`;
      throw new Error(`an exit that is none: ${kind}, ${sizes}, ${fault?.reason}`);
    }
  };
  let shell: Shell | undefined;
  /** Whether the next one who gets the shell finds it as new. */
  const isClean = async (used: Shell): Promise<boolean> => {
    if (!used.rewind()) {
      await used.destroy();
      return true;
    }
    if (testMachine(used).differingPages().length > 0) {
      return false;
    }
    const exit = await serve(used, requestFrame(Buffer.alloc(0)));
    shell = used;
    return exit.kind === 'respond' && exit.logs === undefined && used.rewind() !== false;
  };

  const property = fc.asyncProperty(programs, async ({ code, resumes, where }) => {
    const used = shell ?? (await snapshot.createShell({ reusable: true }));
    shell = undefined; // what fails is not used again
    let resume: Resume = { reason: 'request', bytes: requestFrame(Buffer.concat(code)) };
    const deadline = performance.now() + WALL_MILLISECONDS;
    for (let exits = 0; exits < MOST_EXITS; exits++) {
      const exit = await used.run(resume, deadline, CPU_MILLISECONDS, where);
      check(exit);
      if (LAST.has(exit.kind)) {
        break;
      }
      resume = resumes[exits % resumes.length] as Resume;
    }
    return isClean(used);
  });

  // Once for threads, buffers and pools, which stay.
  await fc.assert(property, { numRuns: 60 });
  const before = { resident: process.memoryUsage.rss(), descriptors: openDescriptors() };
  await fc.assert(property, { numRuns: PROGRAMS });
  t.comment([...seen].map(([kind, count]) => `${kind} ${count}`).join(', '));
  t.ok(seen.size >= 10, 'programs end in nearly every way');
  const grown = process.memoryUsage.rss() - before.resident;
  t.ok(grown < FLAT_BYTES, `memory is flat: ${(grown / (1 << 20)).toFixed(1)} MiB more`);
  t.ok(Math.abs(openDescriptors() - before.descriptors) <= 3, 'so are descriptors');
});
