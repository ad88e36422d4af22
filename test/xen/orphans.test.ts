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
import type { XenGuestType } from '../../src/drivers/driver.js';
import { XenDriver } from '../../src/drivers/xen.js';
import { loadXenAddon, type Reaped } from '../../src/drivers/xen-native.js';
import { Libxl } from '../../src/xen/libxl.js';
import { readySnapshot, requestFrame, serve, TestGuests } from '../drivers/test-guests.js';
import { listDomains, livingDomains, storeList } from './domain-list.js';
import { grubConfig } from './libxl-guests.js';
import { within } from './patience.js';
import { xenMissing } from './xen-guests.js';

const WORKER = fileURLToPath(new URL('./orphans-worker.js', import.meta.url));
/** The handle of a process that cannot be: its number is above Linux's highest (PID_MAX_LIMIT). */
const DEAD_HANDLE = '4874631a-7fff-ff00-0000-000100000001';
/** Far from the numbers that Xen gives out here. */
const NO_DOMAIN = 31_000;
/** A request that the guest answers at once. */
const ANSWER = requestFrame(Buffer.from('a'));
/** How many workers are killed; the seed says when. */
const KILLS = 12;
const SEED = Number(process.env.HATCHERY_TEST_SEED ?? Date.now() % 2 ** 31);

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
  readonly #ended: Promise<[code: number | null, signal: string | null]>;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, end: 'exits' | 'is killed', type: XenGuestType = 'pvh') {
    this.#child = spawn(process.execPath, [WORKER, file, end, type], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'exit') as Promise<[number | null, string | null]>;
    // biome-ignore lint/style/noNonNullAssertion: it is a pipe
    this.#lines = createInterface(this.#child.stdout!)[Symbol.asyncIterator]();
  }

  async line(what: string): Promise<string> {
    const { value, done } = await within(`the worker says ${what}`, this.#lines.next());
    if (done) {
      throw new Error(`the worker ended by itself, with ${await this.#ended}`);
    }
    return value;
  }

  async reaped(): Promise<Reaped> {
    return JSON.parse(await this.line('what it has reaped'));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }

  ended() {
    return within('the worker ends', this.#ended);
  }
}

/** What kind of a worker is killed, and when, of a line that it says: milliseconds after. */
interface Moment {
  readonly type: XenGuestType;
  readonly line: 'starting' | 'reaped' | 'busy';
  readonly delay: number;
}

/** Whole numbers of 31 bits, the same for the same seed: Park and Miller's generator. */
function randomFrom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state;
  };
}

/** Moments all over a worker's life: while it reaps, loads, makes its first domains, and at work. */
function moments(count: number, seed: number): Moment[] {
  const random = randomFrom(seed);
  const longest = { starting: 60, reaped: 250, busy: 400 };
  return Array.from({ length: count }, (_, index) => {
    const line = (['busy', 'starting', 'busy', 'reaped'] as const)[index % 4] ?? 'busy';
    const type = index % 3 === 2 ? 'pv' : 'pvh';
    return { type, line, delay: random() % longest[line] };
  });
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

  await t.test(`of killed processes go with the next start (seed ${SEED})`, async (t) => {
    let left = 0;
    let sum = 0;
    for (const { type, line, delay } of moments(KILLS, SEED)) {
      const worker = new Worker(file, 'is killed', type);
      t.equal(await worker.line('that it starts'), 'starting');
      if (line !== 'starting') {
        t.equal((await worker.reaped()).domains, left, `${left} domains were left`);
      }
      if (line === 'busy') {
        t.equal(await worker.line('that it is busy'), 'busy');
      }
      await sleep(delay);
      await worker.kill();
      const now = livingDomains();
      left = now.length - before.length;
      sum += left;
      t.same(
        now.slice(0, before.length),
        before,
        `${type}, ${line} + ${delay} ms: it leaves ${left}`,
      );
    }
    t.ok(sum > KILLS, `all in all they left ${sum}`);
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
    await worker.line('that it starts');
    await worker.reaped();
    await worker.line('that it is busy');
    t.same(await reap(), { domains: 0, entries: 0 });
    t.ok(livingDomains().length > before.length);
    await worker.kill();
    await reap();
    t.same(await listDomains(), before);
    await answers();
  });

  await t.test('a process that exits leaves none', async (t) => {
    const worker = new Worker(file, 'exits');
    t.same(await worker.ended(), [0, null]);
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
