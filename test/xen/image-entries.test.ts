/** The images start by themselves, as PV and as PVH: see images/kernel/xen. Runs in the lab. */

import t from 'tap';
import { encodeConfiguration } from '../../src/drivers/layout.js';
import { Libxl } from '../../src/xen/libxl.js';
import {
  DOMAIN_TYPES,
  type DomainType,
  runStandalone,
  type Standalone,
} from './standalone-domains.js';
import { xenMissing } from './xen-guests.js';

const HELLO = 'dist/images/hello.elf';
const JS = 'dist/images/js.elf';

const items = (pairs: Record<string, string>) =>
  encodeConfiguration(
    new Map(Object.entries(pairs).map(([name, value]) => [name, Buffer.from(value)])),
  );

const HANDLER = 'export default { fetch: () => new Response("never asked") }';
const TALKATIVE = `
  console.log("six times seven is", 6 * 7);
  console.log("a\\u001b[2Jb\\u0007c");
  console.log(Date.now(), crypto.randomUUID());
  for (let i = 0; i < 300; i++) console.log("line " + i);
  ${HANDLER}`;
const EXIT = 'hatchery.exit';
const NO_ROWS = /not rows of configuration items/;

/** For all of them: they run in emulation within emulation. */
const PATIENCE_MILLISECONDS = 600_000;

t.setTimeout(PATIENCE_MILLISECONDS);

t.test(
  'images without a host',
  { skip: xenMissing(), timeout: PATIENCE_MILLISECONDS },
  async (t) => {
    const folder = t.testdir({});
    const libxl = await Libxl.open();
    t.teardown(() => libxl.close());
    const hello = (type: DomainType, commandLine: string, mebibytes = 8) =>
      runStandalone(libxl, folder, { type, kernel: HELLO, mebibytes, commandLine });

    for (const type of DOMAIN_TYPES) {
      const js = (pairs: Record<string, string>, commandLine: string) =>
        runStandalone(libxl, folder, {
          type,
          kernel: JS,
          mebibytes: 32,
          commandLine,
          module: items(pairs),
        });

      t.test(`${type}: gets ready in 4 MiB, and powers off where it is told so`, async (t) => {
        const options = { type, kernel: HELLO, mebibytes: 4, commandLine: EXIT };
        const ended = await runStandalone(libxl, folder, options, { by: 'xl' });
        t.same(ended, { console: 'hatchery: ready\n', ending: 'powered off' });
      });

      t.test(`${type}: waits when it is ready`, async (t) => {
        const options = { type, kernel: HELLO, mebibytes: 8 };
        const waiting = await runStandalone(libxl, folder, options, { until: /ready\r?\n/ });
        t.same(waiting, { console: 'hatchery: ready\n', ending: 'waits' });
      });

      t.test(`${type}: has its heap in memory that was not mapped at first`, async (t) => {
        t.equal((await hello(type, EXIT, 80)).ending, 'powered off');
      });

      t.test(`${type}: runs JavaScript that comes as a module`, async (t) => {
        const { console, ending } = await js({ module: TALKATIVE }, EXIT);
        const lines = console.trim().split('\n');
        t.equal(lines[0], 'info: six times seven is 42');
        t.equal(lines[1], 'info: a?[2Jb?c', 'what it logs cannot command a terminal');
        const [, now, uuid] = /^info: (\d+) (\S+)$/.exec(lines[2] ?? '') ?? [];
        t.ok(Math.abs(Number(now) - Date.now()) < 600_000, `the time is ${now}`);
        t.match(
          uuid,
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/,
          'random numbers',
        );
        t.equal(lines.length, 3 + 300 + 1, "more than the console's ring holds");
        t.equal(lines.at(-2), 'info: line 299');
        t.equal(lines.at(-1), 'hatchery: ready');
        t.equal(ending, 'powered off');
      });

      t.test(`${type}: takes items from the command line first; a panic crashes it`, async (t) => {
        const { console, ending } = await js({ module: 'never read' }, 'module=console.error(7)');
        t.match(console, /^error: 7\nhatchery: panic \(start-up failed\): .*export default/);
        t.equal(ending, 'crashed');
      });

      t.test(`${type}: refuses too little memory`, async (t) => {
        const { console, ending } = await runStandalone(libxl, folder, {
          type,
          kernel: JS,
          mebibytes: 4,
        });
        t.match(console, /^hatchery: .* too small for the image.*\n$/);
        t.equal(ending, 'crashed');
      });
    }

    const withModule = (module: Uint8Array) =>
      runStandalone(libxl, folder, { type: 'pvh', kernel: HELLO, mebibytes: 8, module });
    const refusals: [string, () => Promise<Standalone>, RegExp][] = [
      ['a word of hatchery.* that is none', () => hello('pv', 'hatchery.exits'), /a word hatchery/],
      ['a port without a mailbox', () => hello('pvh', 'hatchery.port=1'), /together only/],
      ['a number that is none', () => hello('pv', 'hatchery.port=x'), /decimal numbers/],
      [
        'a mailbox outside of the memory',
        () => hello('pv', 'hatchery.port=1 hatchery.mailbox=2048'),
        /not in the domain's memory/,
      ],
      ['a module that is something else', () => withModule(Buffer.from('#!/bin/sh\n')), NO_ROWS],
      ['a row that is cut', () => withModule(items({ a: 'bcd' }).subarray(0, 12)), NO_ROWS],
    ];
    for (const [what, start, reason] of refusals) {
      t.test(`refuses ${what}`, async (t) => {
        const { console, ending } = await start();
        t.match(console, /^hatchery: .+\n$/, 'one line');
        t.match(console, reason);
        t.equal(ending, 'crashed');
      });
    }
  },
);
