/** Instances in PV domains: requests, crashes, ends, and what they refuse. Runs in the lab. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Exit, Shell } from '../../src/drivers/driver.js';
import { XenDriver } from '../../src/drivers/xen.js';
import { parseElf } from '../../src/image/elf.js';
import { requestFrame, TestGuests } from '../drivers/test-guests.js';
import { xenMissing } from './xen-guests.js';

/** Of one run; guests run in emulation within emulation. */
const PATIENCE_MILLISECONDS = 60_000;
const ALL_PATIENCE_MILLISECONDS = 600_000;
const MEMORY_BYTES = 16 << 20;

const run = async (shell: Shell, bytes?: Uint8Array, milliseconds = PATIENCE_MILLISECONDS) =>
  shell.run(
    bytes && { reason: 'request', bytes },
    performance.now() + milliseconds,
    PATIENCE_MILLISECONDS,
    'thread',
  );

const text = (exit: Exit) => Buffer.from(exit.payload).toString('latin1');

t.setTimeout(ALL_PATIENCE_MILLISECONDS);

t.test('PV', { skip: xenMissing(), timeout: ALL_PATIENCE_MILLISECONDS }, async (t) => {
  const driver = new XenDriver({ guestType: 'pv' });
  const guests = new TestGuests();
  t.teardown(async () => {
    await driver.close();
    guests.remove();
  });

  /** A shell of the image, at its snapshot point. */
  async function ready(
    image: ReturnType<typeof parseElf>,
    configuration: Record<string, string> = {},
    memoryBytes = MEMORY_BYTES,
  ): Promise<Shell> {
    const cold = await driver.load({
      image,
      memoryBytes,
      configuration: new Map(
        Object.entries(configuration).map(([name, value]) => [name, Buffer.from(value)]),
      ),
    });
    const shell = await cold.createShell({ reusable: false });
    cold.close();
    let exit = await run(shell);
    if (exit.kind === 'unconfigured') {
      exit = await run(shell);
    }
    if (exit.kind !== 'ready') {
      throw new Error(`${exit.kind}: ${exit.fault?.reason ?? text(exit)}`);
    }
    return shell;
  }

  const guest = (name: string) => ready(guests.image(name));
  const image = (name: string) => parseElf(readFileSync(`dist/images/${name}.elf`), name);

  t.test('answers requests, one after the other', async (t) => {
    const shell = await ready(image('hello'));
    for (let i = 0; i < 3; i++) {
      const exit = await run(shell, requestFrame(Buffer.alloc(0)));
      t.equal(exit.kind, 'respond', exit.fault?.reason ?? 'answered');
      t.match(text(exit), /\{"hello":"world"\}\n$/);
    }
    await shell.destroy();
  });

  t.test('gives JavaScript its module, its logs and its memory', async (t) => {
    const module =
      'console.log("up"); export default { fetch: async (request) => new Response(request.method) }';
    const shell = await ready(image('js'), { module }, 64 << 20);
    const head = Buffer.from('PUT\0http://example.com/\0', 'latin1');
    const frame = Buffer.alloc(16);
    frame.writeUInt32LE(head.length, 0);
    const exit = await run(shell, Buffer.concat([frame, head]));
    t.equal(exit.kind, 'respond', exit.fault?.reason ?? 'answered');
    t.match(text(exit), /PUT$/);
    await shell.destroy();
  });

  t.test('is not rewound or captured', async (t) => {
    const shell = await ready(image('hello'));
    await t.rejects(shell.capture(), { code: 'DRIVER_FAILED', message: /capture of a PV domain/ });
    t.equal((await run(shell, requestFrame(Buffer.alloc(0)))).kind, 'respond');
    t.equal(shell.rewind(), false);
    t.equal(shell.dirtyBytes(), undefined);
    await shell.destroy();
  });

  t.test('goes on after a deadline, or ends there', async (t) => {
    const shell = await guest('spin');
    const exit = await run(shell, requestFrame(Buffer.from('s')), 300);
    t.equal(exit.kind, 'deadline');
    await shell.destroy();
  });

  t.test('says what was wrong when an image does not start', async (t) => {
    const cold = await driver.load({
      image: image('hello'),
      configuration: new Map(),
      memoryBytes: 3 << 20,
    });
    const shell = await cold.createShell({ reusable: false });
    t.equal((await run(shell)).kind, 'ready', 'the least memory that can be asked for');
    await shell.destroy();
    cold.close();

    const stranger = await driver.load({
      image: guests.image('state'), // without entries for Xen
      configuration: new Map(),
      memoryBytes: MEMORY_BYTES,
    });
    await t.rejects(stranger.createShell({ reusable: false }), { code: 'DRIVER_FAILED' });
    stranger.close();
    const file = Buffer.from('no ELF file');
    const broken = await driver.load({
      image: { ...image('hello'), file },
      configuration: new Map(),
      memoryBytes: MEMORY_BYTES,
    });
    await t.rejects(broken.createShell({ reusable: false }), { code: 'DRIVER_FAILED' });
    broken.close();
  });

  /* What ring 3 must not do: see the guests' sources for the letters. */
  const crashes: [string, string, RegExp][] = [
    ['forbidden', 'a', /invalid instruction|general protection/], // SYSCALL
    ['forbidden', 'b', /invalid instruction|general protection/], // SYSENTER
    ['forbidden', 'c', /general protection fault/], // INT 0x80
    ['forbidden', 'e', /general protection fault/], // HLT
    ['forbidden', 'h', /general protection fault/], // RDMSR
    ['forbidden', 'k', /general protection fault/], // MOV to CR3
    ['forbidden', 'v', /store to 0x10, where nothing is mapped/],
    ['forbidden', 'w', /store to 0x4000000, which the guest may not touch so/],
    ['forbidden', 'x', /jump to 0x[0-9a-f]+, which is not executable/],
    ['forbidden', 'y', /store to 0x200000, which the guest may not touch so/],
    ['forbidden', '1', /store to 0x[0-9a-f]+, where nothing is mapped/],
    ['forbidden', '3', /page fault: store to 0xffff800000000000/],
    ['forbidden', '4', /debug exception/],
    ['forbidden', '5', /division error/],
    ['forbidden', '6', /general protection fault/],
    ['intruder', 'q', /store to 0x180000, which is no hypercall/],
    ['intruder', 'r', /invalid instruction/], // without a stack
    ['intruder', 'A', /invalid instruction|general protection fault/], // VMCALL
    ['intruder', 'E', /invalid instruction|general protection fault/], // VMMCALL
  ];
  for (const [name, letter, reason] of crashes) {
    t.test(`ends with a report: ${name} ${letter}`, async (t) => {
      const shell = await guest(name);
      const exit = await run(shell, requestFrame(Buffer.from(letter)));
      t.equal(exit.kind, 'crash', text(exit));
      t.match(exit.fault?.reason, reason);
      t.type(exit.fault?.instructionPointer, 'number');
      await shell.destroy();
    });
  }
});
