/** `hatchery domain …` as a user calls it, with Debian's GRUB as the guest. Runs in the lab. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Libxl } from '../../src/xen/libxl.js';
import { MAIN, runToEnd } from '../cli/command.js';
import { destroyAll, Screen } from './libxl-guests.js';

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

/** Busybox's env, the lab's, does not understand the first line of main.js. */
const COMMAND = [process.execPath, MAIN, 'domain'] as const;
const hatchery = (...args: readonly string[]) => runToEnd([...COMMAND, ...args]);

async function domain(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await hatchery(...args, '--json');
  if (code !== 0) {
    throw new Error(`domain ${args.join(' ')}: code ${code}: ${stdout}${stderr}`);
  }
  return JSON.parse(stdout);
}

/** What a process prints, as far as it is known. */
function watch(child: ChildProcess): { until: (pattern: RegExp) => Promise<void> } {
  let text = '';
  let changed = () => {};
  child.stdout?.on('data', (bytes) => {
    text += bytes;
    changed();
  });
  const until = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      await new Promise<void>((resolve, reject) => {
        changed = resolve;
        child.once('close', () => reject(new Error(`it ended: ${text}`)));
      });
    }
  };
  return { until };
}

t.test('the life of a domain', async (t) => {
  const created = await domain('create', FILE, '--paused', '--no-keep', 'memory=72');
  t.match(created, {
    event: 'created',
    name: 'grub',
    warnings: [{ key: 'colour', place: `${FILE}:9`, text: 'is no key of xl.cfg' }],
  });
  const domid = created.domid as number;
  const listed = (await domain('ls')) as { domains: { domid: number }[] };
  t.match(
    listed.domains.find((one) => one.domid === domid),
    { name: 'grub', type: 'pvh or hvm', state: 'paused', vcpus: 1 },
  );
  t.match(await domain('info', created.uuid as string), {
    domain: { domid, name: 'grub', uuid: created.uuid, type: 'pvh', state: 'paused' },
    vcpus: [{ online: true }],
    config: { c_info: { type: 'pvh' }, b_info: { max_memkb: 72 * 1024 } },
  });

  t.match(await domain('rename', 'grub', 'shell'), { domid, name: 'shell' });
  t.match(await domain('unpause', 'shell'), { domid, done: 'unpause' });
  t.match(await domain('pause', String(domid)), { domid, done: 'pause' });
  t.match(await domain('destroy', 'shell'), { domid, done: 'destroy' });

  const missing = await hatchery('destroy', 'shell');
  t.equal(missing.code, 2);
  t.match(missing.stderr, /no domain shell.*\[DOMAIN_MISSING\]/);
});

t.test('the console, until Ctrl-] is typed', async (t) => {
  const child = spawn(
    process.execPath,
    [MAIN, 'domain', 'create', FILE, '--console', '--no-keep'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => child.once('close', resolve));
  const screen = watch(child);
  await screen.until(/grub> /);
  child.stdin?.write('echo he"l"lo\r');
  await screen.until(/\nhello\r?\n/);
  child.stdin?.write('\u001d');
  t.equal(await ended, 0);
  t.not(await libxl.findDomain('grub'), undefined, 'the domain goes on');
});

t.test('top', async (t) => {
  const { code, stdout } = await hatchery('top', '--count', '2', '--json');
  t.equal(code, 0);
  const tables = stdout.trim().split('\n');
  t.equal(tables.length, 2);
  for (const table of tables) {
    const { domains } = JSON.parse(table) as { domains: { domid: number; cpuPercent: number }[] };
    t.match(domains, [{ domid: 0, name: 'Domain-0', state: /./ }]);
    t.ok(domains.every(({ cpuPercent }) => cpuPercent >= 0));
  }
});

t.test('a domain that boots again is made again, and one that powers off is gone', async (t) => {
  const { domid } = (await domain('create', FILE, '--paused', 'name=kept')) as { domid: number };
  const log = '/var/log/xen/hatchery-kept.log';
  const first = new Screen(await libxl.openConsole(domid));
  await libxl.unpauseDomain(domid);
  await first.waitFor(/grub> /);
  first.console.write('reboot\r');

  let next: number | undefined;
  while (next === undefined || next === domid) {
    await sleep(100);
    next = await libxl.findDomain('kept');
  }
  const second = new Screen(await libxl.openConsole(next));
  second.console.write('\r');
  await second.waitFor(/grub> /);
  second.console.write('halt\r');
  while ((await libxl.findDomain('kept')) !== undefined) {
    await sleep(100);
  }
  if (existsSync(log)) {
    t.match(readFileSync(log, 'utf8'), /reboot; now: restart(.|\n)*poweroff; now: destroy/);
  }
  t.pass('as on_reboot and on_poweroff say');
});

t.test('nothing is made of a dry run, nor of a file that is wrong', async (t) => {
  const dry = await domain('create', FILE, '--dry-run', 'cpus="all"');
  t.match(dry, {
    config: { b_info: { vcpu_hard_affinity: [[0]] } },
    warnings: [{ key: 'colour' }],
  });
  const wrong = await hatchery('create', FILE, 'memory=much');
  t.equal(wrong.code, 2);
  t.match(wrong.stderr, 'the command line: memory must be a whole number');
  const refused = await hatchery('create', FILE, 'kernel=/nonexistent', '--json');
  t.equal(refused.code, 1);
  t.match(JSON.parse(refused.stdout), { error: { code: 'LIBXL_FAILED', message: /nonexistent/ } });
  t.equal((await libxl.listDomains()).length, 1);
});
