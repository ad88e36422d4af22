/** Functions that go on from where their image has started: what they share, and what they do not. */

import t from 'tap';
import type { Driver, LoadOptions } from '../../src/drivers/driver.js';
import type { Fabric } from '../../src/index.js';
import {
  openTestedDriver,
  untestable,
  untestableBut,
  untestableInLab,
} from '../drivers/driver-under-test.js';
import { TestGuests } from '../drivers/test-guests.js';
import { deploy, openFabric } from './fabric-under-test.js';

/** Module scope, so it is drawn while the function starts. */
const SOURCE = `
  const drawn = crypto.randomUUID() + Math.random();
  const at = Date.now();
  export default { fetch: (_, env) => Response.json({ drawn, at, env }) };
`;

const factsOf = async (fabric: Fabric, name: string) =>
  (await fabric.function(name)?.fetch('http://x/'))?.json() as Promise<{
    drawn: string;
    at: number;
    env: Record<string, string>;
  }>;

t.test('functions of one image', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();

  await t.test('start with what is theirs, and with their own time and randomness', async (t) => {
    const before = Date.now();
    const drawn = new Set<string>();
    for (const [name, env] of Object.entries({ one: { A: '1' }, two: { B: '2' }, three: {} })) {
      await deploy(fabric, { name, source: SOURCE, env });
      const facts = await factsOf(fabric, name);
      t.same(facts.env, env);
      t.ok(facts.at >= before - 1 && facts.at <= Date.now() + 1);
      drawn.add(facts.drawn);
    }
    t.equal(drawn.size, 3);
  });

  await t.test('boot their image once', { skip: untestableBut('kvm') }, async (t) => {
    const driver = openTestedDriver();
    let loads = 0;
    const counting: Driver = Object.create(driver, {
      load: {
        value: (options: LoadOptions) => {
          loads += 1;
          return driver.load(options);
        },
      },
      close: { value: () => driver.close() },
    });
    await using another = await openFabric({ driver: counting });
    const strategies = ['reset', 'clone', 'pool'] as const;
    for (const strategy of strategies) {
      await deploy(another, { name: strategy, source: SOURCE, strategy });
      t.match((await factsOf(another, strategy)).drawn, /^[0-9a-f-]{36}/, strategy);
    }
    t.equal(loads, 1, 'for all of them');
    await deploy(another, { name: 'boot', source: SOURCE, strategy: 'boot' });
    t.ok(loads > 1, 'but where each request is to have a whole boot');
  });

  await t.test(
    'start at once, many together',
    { skip: untestableInLab('takes too long there') },
    async (t) => {
      const names = Array.from({ length: 6 }, (_, number) => `f${number}`);
      await using another = await openFabric();
      await Promise.all(
        names.map((name, index) =>
          deploy(another, {
            name,
            source: SOURCE,
            env: { NAME: name },
            // More sizes than are kept.
            limits: { memoryBytes: (32 + 4 * index) << 20 },
          }),
        ),
      );
      for (const name of names) {
        t.same((await factsOf(another, name)).env, { NAME: name });
      }
    },
  );

  await t.test('may have large code and environments', async (t) => {
    const env = { LARGE: 'x'.repeat(3 << 20) };
    await deploy(fabric, { name: 'large', source: SOURCE, env });
    t.equal((await factsOf(fabric, 'large')).env.LARGE?.length, 3 << 20);
  });
});

t.test('a guest that starts unconfigured twice', { skip: untestable }, async (t) => {
  const guests = new TestGuests();
  await using fabric = await openFabric();
  t.teardown(() => guests.remove());
  const image = guests.path('configured.elf');
  const fn = await deploy(fabric, { name: 'once', image });
  t.equal((await fn.fetch('http://x/')).status, 200);
  await t.rejects(
    fn.fetch(new Request('http://x/', { method: 'POST', body: 'x' })),
    { code: 'RESPONSE_INVALID' },
    'while it serves',
  );
  t.equal((await fn.fetch('http://x/')).status, 200, 'the next one has another machine');
  await t.rejects(
    deploy(fabric, { name: 'twice', image, commandLine: ['again=1'] }),
    { code: 'STARTUP_FAILED', message: /unconfigured before it was ready/ },
    'in its start',
  );
});
