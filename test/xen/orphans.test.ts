/**
 * Domains of a process that was killed, at any point of making and dropping them, are gone with the
 * next start; domains of anybody else are not, whatever they look like.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { XenDriver } from '../../src/drivers/xen.js';
import { loadXenAddon, type Reaped } from '../../src/drivers/xen-native.js';
import { Libxl } from '../../src/xen/libxl.js';
import { readySnapshot, requestFrame, serve, TestGuests } from '../drivers/test-guests.js';
import { listDomains, storeList } from './domain-list.js';
import { grubConfig } from './libxl-guests.js';
import { xenMissing } from './xen-guests.js';

const WORKER = fileURLToPath(new URL('./orphans-worker.js', import.meta.url));
/** The handle of a process that cannot be: its number is above Linux's highest (PID_MAX_LIMIT). */
const DEAD_HANDLE = '4874631a-7fff-ff00-0000-000100000001';
/** Far from the numbers that Xen gives out here. */
const NO_DOMAIN = 31_000;
/** A request that the guest answers at once. */
const ANSWER = requestFrame(Buffer.from('a'));
/** Between "busy" and the end of a worker, milliseconds. */
const DELAYS = [0, 31, 120];

const storeWrite = (path: string, value: string) =>
  execFileSync('xenstore-write', [path, value], { stdio: 'inherit' });
const reap = () =>
  new Promise<Reaped>((resolve, reject) => {
    loadXenAddon().reapOrphans((error, reaped) =>
      error === null ? resolve(reaped) : reject(error),
    );
  });

class Worker {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, end: 'exits' | 'is killed') {
    this.#child = spawn(process.execPath, [WORKER, file, end], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // biome-ignore lint/style/noNonNullAssertion: it is a pipe
    this.#lines = createInterface(this.#child.stdout!)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) {
      throw new Error('the worker ended by itself');
    }
    return value;
  }

  async kill(): Promise<void> {
    const ended = this.ended();
    this.#child.kill('SIGKILL');
    await ended;
  }

  async ended(): Promise<void> {
    await once(this.#child, 'exit');
  }
}

t.test('orphans', { skip: xenMissing() }, async (t) => {
  const guests = new TestGuests();
  const file = join(tmpdir(), 'orphans-guest.elf');
  writeFileSync(file, guests.file('spin'));
  const driver = new XenDriver();
  const libxl = await Libxl.open();
  const snapshot = await readySnapshot(driver, guests.image('spin'));
  const own = await snapshot.createShell({ reusable: true });
  /** Somebody else's domain, with a handle such as a dead process of ours would have written. */
  const config = grubConfig('pvh', 'somebody-elses');
  const foreign = await libxl.createDomain({
    ...config,
    c_info: { ...config.c_info, uuid: DEAD_HANDLE },
  });
  const before = await listDomains();
  t.match(
    before.find(({ domid }) => domid === foreign),
    { name: 'somebody-elses', uuid: DEAD_HANDLE },
  );
  const ours = before.filter(({ domid }) => domid !== foreign);
  t.equal(ours.length, 1);
  t.match(ours[0], { name: /^hatchery-guest-\d+$/, uuid: /^4874631a-/ }, 'xl sees name and UUID');
  t.teardown(async () => {
    await libxl.destroyDomain(foreign);
    await libxl.close();
    await driver.close();
    guests.remove();
  });

  const answers = async () => {
    t.equal((await serve(own, ANSWER)).kind, 'respond', 'our domain serves');
    t.ok(own.rewind());
  };

  await t.test('of killed processes go with the next start', async (t) => {
    let left = 0;
    for (const delay of DELAYS) {
      const worker = new Worker(file, 'is killed');
      const reaped = JSON.parse(await worker.line()) as Reaped;
      t.equal(reaped.domains, left, `${left} domains were left`);
      t.equal(await worker.line(), 'busy');
      await sleep(delay);
      await worker.kill();
      left = (await listDomains()).length - before.length;
      t.ok(left > 0, `it leaves ${left} domains`);
    }
    t.equal((await reap()).domains, left);
    t.same(await listDomains(), before, 'all others are left');
    t.same(
      storeList('/local/domain').map(Number).sort(),
      [0, ...before.map(({ domid }) => domid)].sort(),
    );
    await answers();
  });

  await t.test('a living process keeps its domains', async (t) => {
    const worker = new Worker(file, 'is killed');
    await worker.line();
    await worker.line();
    t.same(await reap(), { domains: 0, entries: 0 });
    t.ok((await listDomains()).length > before.length);
    await worker.kill();
    await reap();
    t.same(await listDomains(), before);
    await answers();
  });

  await t.test('a process that exits leaves none', async (t) => {
    const worker = new Worker(file, 'exits');
    await worker.ended();
    t.same(await listDomains(), before);
    t.same(await reap(), { domains: 0, entries: 0 });
  });

  await t.test('entries of domains that are gone', async (t) => {
    const gone = `/local/domain/${NO_DOMAIN}`;
    const living = `/local/domain/${NO_DOMAIN + 1}`;
    const others = `/local/domain/${NO_DOMAIN + 2}`;
    storeWrite(`${gone}/hatchery`, DEAD_HANDLE);
    storeWrite(`${gone}/name`, 'hatchery-gone');
    // biome-ignore lint/style/noNonNullAssertion: counted above
    storeWrite(`${living}/hatchery`, ours[0]!.uuid);
    storeWrite(`${others}/name`, 'hatchery-by-name-only');
    storeWrite(`/local/domain/${foreign}/hatchery`, DEAD_HANDLE);
    t.same(await reap(), { domains: 0, entries: 1 });
    const left = storeList('/local/domain');
    t.notOk(left.includes(String(NO_DOMAIN)), 'is gone');
    t.ok(left.includes(String(NO_DOMAIN + 1)), 'its process lives');
    t.ok(left.includes(String(NO_DOMAIN + 2)), 'it does not say that it is ours');
    t.ok(left.includes(String(foreign)), 'its domain lives');
    execFileSync('xenstore-rm', [living, others]);
  });

  await t.test('xl destroy does no harm', async (t) => {
    const victim = await snapshot.createShell({ reusable: true });
    const found = (await listDomains()).find(
      ({ domid }) => !before.some((known) => known.domid === domid),
    );
    t.ok(found);
    execFileSync('xl', ['destroy', String(found?.domid)], { stdio: 'ignore' });
    t.equal((await serve(victim, ANSWER)).kind, 'crash');
    await victim.destroy();
    await answers();
    t.notOk(storeList('/local/domain').includes(String(found?.domid)));
  });
});
