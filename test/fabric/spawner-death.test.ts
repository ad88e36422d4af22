/** The program that makes guests is killed: what was there ends with an error, what comes is served. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Strategy } from '../../src/drivers/driver.js';
import { ProcessDriver } from '../../src/drivers/process.js';
import { Fabric } from '../../src/index.js';
import { guestsOf, isAlive, processesMissing, spawnersOf } from '../drivers/processes.js';

const SOURCE = `
  let count = 0;
  export default {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/loop') for (;;);
      if (pathname === '/wait') await new Promise((resolve) => setTimeout(resolve, 20000));
      return new Response(String(++count));
    },
  };
`;
const LIMITS = { wallMilliseconds: 20_000, cpuMilliseconds: 20_000 };
const REQUEST = 'http://f/';

/** Kills one of the spawner's processes; behind these two come those that are to be launchers. */
function killSpawner(which: 'outer' | 'inner'): number[] {
  const all = spawnersOf(process.pid);
  process.kill(all[which === 'outer' ? 0 : 1] as number, 'SIGKILL');
  return all;
}

async function gone(processes: readonly number[]): Promise<number[]> {
  const patience = performance.now() + 5_000;
  while (processes.some(isAlive) && performance.now() < patience) {
    await sleep(10);
  }
  return processes.filter(isAlive);
}

t.test('where this process may start another', { skip: processesMissing() }, async (t) => {
  for (const strategy of ['clone', 'pool', 'boot'] satisfies Strategy[]) {
    t.test(`${strategy}: requests fail, or are served by what is made anew`, async (t) => {
      await using fabric = await Fabric.open({ driver: 'process' });
      const definition = { source: SOURCE, strategy, limits: LIMITS };
      const fn = await fabric.deploy({ ...definition, name: 'f' });
      const other = await fabric.deploy({ ...definition, name: 'g' });
      for (const which of ['outer', 'inner', 'outer'] as const) {
        t.equal(await (await fn.fetch(REQUEST)).text(), '1');
        const spawned = await fn.spawn();
        t.equal(await (await spawned.fetch(REQUEST)).text(), '1');
        const pending = ['loop', 'wait', 'wait'].map((path, index) => {
          const target = index === 2 ? spawned : fn;
          return target.fetch(`${REQUEST}${path}`).catch((error) => error);
        });
        // All of them have begun by then, also where each is a boot on a busy machine.
        await sleep(1_000);
        const before = [...spawnersOf(process.pid), ...guestsOf(process.pid)];
        killSpawner(which);
        const [looping, waiting, last] = await Promise.all(pending);
        t.match(looping, { code: 'SPAWNER_DIED' });
        t.match(waiting, { code: 'SPAWNER_DIED' });
        t.match(last, { code: 'SPAWNER_DIED' });
        t.equal(await (await fn.fetch(REQUEST)).text(), '1', 'the next request is answered');
        t.equal(await (await other.fetch(REQUEST)).text(), '1', 'by the other function, too');
        await spawned.ended;
        await t.rejects(spawned.fetch(REQUEST), { code: 'INSTANCE_GONE' });
        t.same(await gone(before), [], 'nothing is left of what was');
      }
    });
  }

  t.test('where nobody asks: it is there again before the next request', async (t) => {
    await using fabric = await Fabric.open({ driver: 'process' });
    const fn = await fabric.deploy({ name: 'f', source: SOURCE });
    const before = killSpawner('outer');
    await gone(before);
    const patience = performance.now() + 10_000;
    const isNew = () => spawnersOf(process.pid).some((one) => !before.includes(one));
    while (!(isNew() && fn.pool.ready > 0) && performance.now() < patience) {
      await sleep(10);
    }
    t.ok(spawnersOf(process.pid).length > 0);
    t.equal(await (await fn.fetch(REQUEST)).text(), '1');
  });

  t.test('a snapshot whose process is killed is made anew', async (t) => {
    await using fabric = await Fabric.open({ driver: 'process' });
    const fn = await fabric.deploy({ name: 'f', source: SOURCE, strategy: 'clone' });
    t.equal(await (await fn.fetch(REQUEST)).text(), '1');
    const before = guestsOf(process.pid);
    for (const guest of before) process.kill(guest, 'SIGKILL');
    await gone(before);
    // Those that were ready have crashed; there are no more of them than that.
    const outcomes: string[] = [];
    for (let request = 0; request <= before.length; request++) {
      const response = await fn.fetch(REQUEST).catch((error) => error);
      outcomes.push(response instanceof Response ? await response.text() : response.code);
    }
    t.equal(outcomes.at(-1), '1', outcomes.join());
    t.notOk(outcomes.includes('SNAPSHOT_LOST'), 'nobody hears of that');
  });

  t.test('a driver that is closed starts none', async (t) => {
    const driver = new ProcessDriver();
    let losses = 0;
    driver.onLost(() => losses++);
    await driver.close();
    await gone(killSpawner('outer'));
    await sleep(50);
    t.equal(losses, 0);
    t.same(spawnersOf(process.pid), []);
  });
});
