/** `hatchery domain …` as a user calls it, with Debian's GRUB as the guest. Runs in the lab. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { act, rename, shutDown } from '../../src/cli/domain/actions.js';
import { type CreateOptions, createDomain } from '../../src/cli/domain/create.js';
import { listDomains, showDomain } from '../../src/cli/domain/list.js';
import { top } from '../../src/cli/domain/top.js';
import { Libxl } from '../../src/xen/libxl.js';
import { MAIN } from '../cli/command.js';
import { Recorder, resultOf } from './command-results.js';
import { destroyAll, Screen } from './libxl-guests.js';
import { until, within } from './patience.js';

const libxl = await Libxl.open();
t.teardown(() => libxl.close());
t.afterEach(() => destroyAll(libxl));

const folder = t.testdir({
  'grub.cfg': `
name = "grub"
type = "pvh"
kernel = "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"
memory = 64
vcpus = 1
tsc_mode = "native"
on_reboot = "restart"
colour = "red"
`,
});
const FILE = `${folder}/grub.cfg`;

const create = (options: Partial<CreateOptions>, ...settings: string[]) =>
  resultOf((terminal) =>
    createDomain(FILE, settings, { paused: true, keep: false, ...options }, terminal),
  );

/** What a stream carries, as far as it is known. @param onEnd has a function called at its end */
function watch(
  stream: Readable,
  onEnd: (ended: () => void) => void,
): { until: (pattern: RegExp) => Promise<void> } {
  let text = '';
  let isOver = false;
  let changed = () => {};
  stream.on('data', (bytes) => {
    text += bytes;
    changed();
  });
  onEnd(() => {
    isOver = true;
    changed();
  });
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      if (isOver) {
        throw new Error(`it ended: ${text}`);
      }
      const more = new Promise<void>((resolve) => {
        changed = resolve;
      });
      await within(`${pattern} comes after: ${text}`, more);
    }
  };
  return { until };
}

t.test('the life of a domain', async (t) => {
  const created = await create({}, 'memory=72');
  t.match(created, {
    event: 'created',
    name: 'grub',
    warnings: [{ key: 'colour', place: `${FILE}:9`, text: 'is no key of xl.cfg' }],
  });
  const domid = created.domid as number;
  const listed = await resultOf<{ domains: { domid: number }[] }>(listDomains);
  t.match(
    listed.domains.find((one) => one.domid === domid),
    { name: 'grub', type: 'pvh or hvm', state: 'paused', vcpus: 1 },
  );
  t.match(await resultOf((terminal) => showDomain(created.uuid as string, terminal)), {
    domain: { domid, name: 'grub', uuid: created.uuid, type: 'pvh', state: 'paused' },
    vcpus: [{ online: true }],
    config: { c_info: { type: 'pvh' }, b_info: { max_memkb: 72 * 1024 } },
  });

  t.match(await resultOf((terminal) => rename('grub', 'shell', terminal)), {
    domid,
    name: 'shell',
  });
  for (const [name, argument] of [
    ['unpause', 'shell'],
    ['pause', String(domid)],
    ['destroy', 'shell'],
  ] as const) {
    const result = await resultOf((terminal) => act(name, argument, terminal));
    t.match(result, { domid, done: name });
  }
  await t.rejects(
    resultOf((terminal) => act('destroy', 'shell', terminal)),
    { code: 'DOMAIN_MISSING' },
  );
});

t.test('the console, until Ctrl-] is typed', async (t) => {
  const child = spawn(
    process.execPath,
    [MAIN, 'domain', 'create', FILE, '--console', '--no-keep'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'close');
  const screen = watch(child.stdout, (over) => child.once('close', over));
  await screen.until(/grub> /);
  child.stdin?.write('echo he"l"lo\r');
  await screen.until(/[\r\n]hello[\r\n]/);
  child.stdin?.write('\u001d');
  t.same(await within('the console ends', ended), [0, null]);
  t.not(await libxl.findDomain('grub'), undefined, 'the domain goes on');
});

t.test('top', async (t) => {
  const terminal = new Recorder();
  t.equal(await top({ interval: 1, count: 2 }, terminal), 0);
  t.equal(terminal.results.length, 2);
  for (const table of terminal.results as { domains: { cpuPercent: number }[] }[]) {
    t.match(table.domains, [{ domid: 0, name: 'Domain-0', state: /./ }]);
    t.ok(table.domains.every(({ cpuPercent }) => cpuPercent >= 0));
  }
});

t.test('a domain that boots again is made again, and one that powers off is gone', async (t) => {
  const { domid } = (await create({ keep: true }, 'name=kept')) as { domid: number };
  const first = new Screen(await libxl.openConsole(domid));
  await libxl.unpauseDomain(domid);
  await first.waitFor(/grub> /);
  first.console.write('reboot\r');

  const next = await until('the domain is there again', async () => {
    const found = await libxl.findDomain('kept');
    return found !== domid && found;
  });
  // The keeper is still at it: the name is there before the console.
  await until('the keeper lets it go', async () => !(await libxl.domainInfo(next)).paused);
  const second = new Screen(await libxl.openConsole(next));
  second.console.write('\r');
  await second.waitFor(/grub> /);
  second.console.write('halt\r');
  await until('the domain is gone', async () => (await libxl.findDomain('kept')) === undefined);
  const log = readFileSync('/var/log/xen/hatchery-kept.log', 'utf8');
  t.match(log, /: reboot; now: restart(.|\n)*is there in its place(.|\n)*: poweroff; now: destroy/);
});

t.test('shutdown waits for the guest, and not for ever', async (t) => {
  const { domid } = (await create({}, 'name=deaf')) as { domid: number };
  await libxl.unpauseDomain(domid);
  const wait = (timeout: number) =>
    resultOf((terminal) => shutDown('deaf', { wait: true, timeout }, terminal));
  // GRUB does not do what xenstore asks of it.
  await t.rejects(wait(1), { code: 'DOMAIN_TIMEOUT' });
  const waiting = wait(60);
  await sleep(300);
  await libxl.destroyDomain(domid);
  t.match(await within('shutdown --wait ends', waiting), { domid, done: 'shutdown' });
});

t.test('nothing is made of a dry run, nor of a file that is wrong', async (t) => {
  const dry = await create({ dryRun: true }, 'cpus="all"');
  t.match(dry, {
    config: { b_info: { vcpu_hard_affinity: [[0]] } },
    warnings: [{ key: 'colour' }],
  });
  await t.rejects(create({}, 'memory=much'), {
    code: 'CONFIGURATION_INVALID',
    message: /^the command line: memory must be a whole number/,
  });
  await t.rejects(create({}, 'kernel=/nonexistent'), {
    code: 'LIBXL_FAILED',
    message: /nonexistent/,
  });
  t.equal((await libxl.listDomains()).length, 1);
});
