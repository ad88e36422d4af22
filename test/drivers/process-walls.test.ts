/** What a hostile guest of the process driver can do with the kernel under it: nothing but end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Exit, Snapshot } from '../../src/drivers/driver.js';
import { ProcessDriver } from '../../src/drivers/process.js';
import { milliseconds } from './driver-under-test.js';
import { descendants, guestsOf, isAlive, processesMissing } from './processes.js';
import { AMPLE, readySnapshot, requestFrame, soon, TestGuests } from './test-guests.js';

/** `how` of test/guests/system_calls.c. */
const HOW = { syscall: 0, interrupt: 1, tamper: 2, flood: 3, spin: 4, lie: 5 } as const;
/** Stands for an address in the guest's memory. */
const MEMORY = 0x6d656d;
const LAST_CALL = 500;
const X32 = 0x4000_0000;
/**
 * uretprobe and uprobe, which Linux exempts from all filters (kernel/seccomp.c, since 6.14): called from
 * anywhere but a probe they are an invalid instruction, or fail with ENXIO.
 */
const UNFILTERED = [335, 336];
const ENXIO = 6n;

/** System calls that the doorbell's handler makes itself, on the guest's socket only. */
const HANDLERS = { read: 0, write: 1, rtSigreturn: 15, exitGroup: 231, clone: 56, mmap: 9 };

function order(how: number, number = 0, ...values: number[]): Buffer {
  const bytes = Buffer.alloc(57);
  bytes.writeBigUInt64LE(BigInt(number), 0);
  values.forEach((value, index) => {
    bytes.writeBigInt64LE(BigInt(value), 8 + 8 * index);
  });
  bytes[56] = how;
  return requestFrame(bytes);
}

t.test('a process that is a guest', { skip: processesMissing() }, async (t) => {
  const guests = new TestGuests();
  const driver = new ProcessDriver();
  const snapshot = await readySnapshot(driver, guests.image('system_calls'));
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  const attack = async (from: Snapshot, bytes: Buffer, cpu = AMPLE): Promise<Exit> => {
    const shell = await from.createShell({ reusable: false });
    try {
      const exit = await shell.run({ reason: 'request', bytes }, soon(), cpu, 'thread');
      return { ...exit, payload: Uint8Array.from(exit.payload) };
    } finally {
      await shell.destroy();
    }
  };

  await t.test('is killed for each system call, whatever its arguments', async (t) => {
    const shapes = [
      [MEMORY, 0, 0, 0, 0, 0],
      [0, MEMORY, 8, 0, 0, 0],
      [-100, MEMORY, 0o102, 0o600, 0, 0],
    ];
    let killed = 0;
    for (let number = 0; number <= LAST_CALL; number++) {
      const shape = shapes[number % shapes.length] ?? [];
      const exit = await attack(snapshot, order(HOW.syscall, number, ...shape));
      if (UNFILTERED.includes(number)) {
        const failed =
          exit.kind === 'respond' && Buffer.from(exit.payload).readBigInt64LE(16) === -ENXIO;
        t.ok(exit.kind === 'crash' || failed, `call ${number} did nothing`);
        continue;
      }
      if (exit.kind !== 'crash') t.fail(`call ${number}: ${exit.kind}`);
      const why = exit.fault?.reason ?? '';
      const expected = Object.values(HANDLERS).includes(number)
        ? /process (was killed|ended)|nobody had granted|fault/
        : /^a forbidden system call: the process was killed$/;
      if (!expected.test(why)) t.fail(`call ${number}: ${why}`);
      killed += 1;
    }
    t.equal(killed, LAST_CALL + 1 - UNFILTERED.length);
  });

  await t.test('is killed for what would reach beyond it', async (t) => {
    const attacks: [string, Buffer][] = [
      ['kill(-1)', order(HOW.syscall, 62, -1, 9)],
      ['tgkill', order(HOW.syscall, 234, 1, 1, 9)],
      ['fork', order(HOW.syscall, 57)],
      ['vfork', order(HOW.syscall, 58)],
      ['clone3', order(HOW.syscall, 435, MEMORY, 88)],
      ['clone, as its handler would', order(HOW.syscall, 56, 0x8011, 0)],
      ['clone of a thread', order(HOW.syscall, 56, 0x10f00, MEMORY)],
      ['mmap of its channel', order(HOW.syscall, 9, 0x5000_0000, 0x90000, 3, 0x11, 4, 0)],
      ['mmap of memory', order(HOW.syscall, 9, 0, 1 << 30, 3, 0x22, -1, 0)],
      ['socket', order(HOW.syscall, 41, 2, 1, 0)],
      ['connect', order(HOW.syscall, 42, 3, MEMORY, 16)],
      ['ptrace', order(HOW.syscall, 101, 16, 1)],
      ['close of its socket', order(HOW.syscall, 3, 3)],
      ['read of another descriptor', order(HOW.syscall, 0, 4, MEMORY, 64)],
      ['write to another descriptor', order(HOW.syscall, 1, 2, MEMORY, 64)],
      ['a descriptor with high bits', order(HOW.syscall, 1, 3 + 2 ** 32, MEMORY, 64)],
      ['x32: write', order(HOW.syscall, X32 + 1, 3, MEMORY, 32)],
      ['x32: exit_group', order(HOW.syscall, X32 + 231, 0)],
    ];
    // Some hosts (kvm_pvm) have no such gate: error code 0x80 * 8 + 2, Intel SDM volume 3A, 6.13.
    const gates: [string, Buffer][] = [
      ['int 0x80: write', order(HOW.interrupt, 4, 3, MEMORY, 32)],
      ['int 0x80: exit', order(HOW.interrupt, 1)],
    ];
    for (const [name, bytes] of [...attacks, ...gates]) {
      const exit = await attack(snapshot, bytes);
      t.equal(exit.kind, 'crash', name);
      const expected = attacks.some(([known]) => known === name)
        ? /the process was killed/
        : /the process was killed|^general protection fault \(error code 0x402\)$/;
      t.match(exit.fault?.reason, expected, `${name}: ${exit.fault?.reason}`);
    }
  });

  await t.test('cannot fool the host with what it writes to it', async (t) => {
    for (const bytes of [0, 1, 39, 40, 41, 4096]) {
      const exit = await attack(snapshot, order(HOW.syscall, 1, 3, MEMORY, bytes));
      t.equal(exit.kind, 'crash', `${bytes} bytes`);
    }
    t.equal((await attack(snapshot, order(HOW.flood))).kind, 'crash');
    t.equal((await attack(snapshot, order(HOW.tamper))).kind, 'crash');
  });

  await t.test('is held to its processor time', async (t) => {
    const exit = await attack(snapshot, order(HOW.spin), 40);
    t.equal(exit.kind, 'cpu');
    t.ok(exit.cpuMicroseconds >= 40_000);
  });

  await t.test('does not compute while it is not run', async (t) => {
    const honest = await snapshot.createShell({ reusable: false });
    const shell = await snapshot.createShell({ reusable: false });
    const before = guestsOf(process.pid);
    const bytes = order(HOW.lie);
    const exit = await shell.run({ reason: 'request', bytes }, soon(), AMPLE, 'thread');
    t.equal(exit.kind, 'wait');
    const patience = performance.now() + milliseconds(5000);
    while (before.every(isAlive) && performance.now() < patience) await sleep(5);
    t.equal(before.filter((one) => !isAlive(one)).length, 1, 'it was ended');
    const next = await shell.run({ reason: 'timer' }, soon(), AMPLE, 'thread');
    t.equal(next.kind, 'crash');
    t.match(next.fault?.reason, 'it computed while it was not run');
    await shell.destroy();
    await sleep(1500);
    const answer = await honest.run(
      { reason: 'request', bytes: order(9) },
      soon(),
      AMPLE,
      'inline',
    );
    t.equal(answer.kind, 'respond', 'who waits is left alone');
    await honest.destroy();
    t.equal((await attack(snapshot, order(9))).kind, 'respond', 'and so is the snapshot');
  });

  await t.test('says where it crashed', async (t) => {
    const forbidden = await readySnapshot(driver, guests.image('forbidden'));
    const exit = await attack(forbidden, requestFrame(Buffer.from('v')));
    t.match(exit.fault?.reason, 'page fault: store to 0x10, where nothing is mapped');
    t.ok((exit.fault?.instructionPointer ?? 0) >= 0x0400_0000);
    forbidden.close();
  });

  await t.test('may have been made ahead, and be killed meanwhile', async (t) => {
    const others = guestsOf(process.pid);
    const own = await readySnapshot(driver, guests.image('system_calls'));
    const zygotes = guestsOf(process.pid).filter((one) => !others.includes(one));
    t.equal(zygotes.length, 1, 'none is made ahead before one was needed');
    const madeAhead = async () => {
      for (let patience = 200; patience > 0; patience--) {
        const found = guestsOf(process.pid).filter(
          (one) => !others.includes(one) && !zygotes.includes(one),
        );
        if (found.length === 1) return found[0] as number;
        await sleep(milliseconds(10));
      }
      throw new Error('none is made ahead');
    };
    t.equal((await attack(own, order(9))).kind, 'respond');
    for (let round = 0; round < 5; round++) {
      const spare = await madeAhead();
      if (round % 2 === 0) process.kill(spare, 'SIGKILL');
      const answers = await Promise.all([1, 2, 3].map(() => attack(own, order(9))));
      t.same(
        answers.map(({ kind }) => kind),
        ['respond', 'respond', 'respond'],
        round % 2 === 0 ? 'after it was killed' : 'with it',
      );
    }
    const last = await madeAhead();
    own.close();
    const patience = performance.now() + milliseconds(5000);
    while (isAlive(last) && performance.now() < patience) await sleep(5);
    t.notOk(isAlive(last), 'it goes with its snapshot');
  });

  await t.test('harms no other: the snapshot serves on', async (t) => {
    const exit = await attack(snapshot, order(9));
    t.equal(exit.kind, 'respond');
  });

  await t.test('does not outlive a host that is killed', async (t) => {
    const script = `
      const { Fabric } = await import(${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)});
      const fabric = await Fabric.open({ driver: 'process' });
      const source = 'export default { fetch() { for (;;); } }';
      const fn = await fabric.deploy({ name: 'f', source, limits: { wallMilliseconds: 60000, cpuMilliseconds: 60000 } });
      fn.fetch(new Request('http://f/')).catch(() => {});
      setTimeout(() => console.log('running'), 200);
      setInterval(() => {}, 1000);`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(host.stdout, 'data');
    const before = descendants(host.pid ?? -1);
    t.ok(before.length >= 3, `${before.length} processes`);
    host.kill('SIGKILL');
    await once(host, 'exit');
    const patience = performance.now() + 5000;
    while (before.some(isAlive) && performance.now() < patience) await sleep(20);
    t.same(before.filter(isAlive), []);
  });
});
