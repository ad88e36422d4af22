import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import type { Strategy } from '../../src/drivers/driver.js';
import { startFront } from '../../src/index.js';
import {
  countMachines,
  countMachinesOnce,
  milliseconds,
  repetitions,
  strategiesOf,
  untestable,
} from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const version = (name: string) =>
  `export default { fetch: () => new Response(${JSON.stringify(name)}) };`;

test('a name is switched over under load without a failed request', {
  skip: untestable,
}, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'f', source: version('0') });
  const front = await startFront(fabric, { functionName: 'f' });
  let running = true;
  const answers: string[] = [];
  const failures: unknown[] = [];
  const clients = Array.from({ length: repetitions(16, 2) }, async () => {
    while (running) {
      try {
        const response = await fetch(front.url);
        answers.push(response.status === 200 ? await response.text() : `${response.status}`);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  const strategies = strategiesOf('clone', 'reset', 'pool', 'reset', 'boot', 'reset');
  for (let deployed = 0; deployed < repetitions(6, 3); deployed += 1) {
    const strategy = strategies[deployed % strategies.length] as Strategy;
    const same = await deploy(fabric, { name: 'f', source: version(strategy), strategy });
    t.equal(same, fn, 'the function is the same object');
    t.equal(await (await fn.fetch('http://f/')).text(), strategy);
    await sleep(30);
  }
  running = false;
  await Promise.all(clients);
  await front.close();
  t.strictSame(failures, []);
  const wrong = answers.filter(
    (answer) => !['0', 'boot', 'clone', 'pool', 'reset'].includes(answer),
  );
  t.strictSame(wrong, []);
  t.ok(answers.length > repetitions(100), `${answers.length} answers`);
});

test('a deployment that fails leaves the old version', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'f', source: version('old') });
  await t.rejects(deploy(fabric, { name: 'f', source: 'throw new Error("no")' }), {
    code: 'STARTUP_FAILED',
  });
  await t.rejects(deploy(fabric, { name: 'f', source: 'syntax error' }), { code: 'BUNDLE_FAILED' });
  t.equal(await (await fn.fetch('http://f/')).text(), 'old');
});

test('requests under way finish on the version that they began with', {
  skip: untestable,
}, async (t) => {
  await using fabric = await openFabric();
  const slow = (name: string) => `
    export default {
      fetch() {
        const end = Date.now() + ${milliseconds(300)};
        while (Date.now() < end);
        return new Response('${name}');
      },
    };
  `;
  const fn = await deploy(fabric, { name: 'f', source: slow('old') });
  const before = fn.fetch('http://f/');
  await sleep(milliseconds(50));
  await deploy(fabric, { name: 'f', source: slow('new') });
  const after = fn.fetch('http://f/');
  t.equal(await (await before).text(), 'old');
  t.equal(await (await after).text(), 'new');
});

test('deployments of one name happen in order', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const [fn] = await Promise.all(
    ['1', '2', '3'].map((name) => deploy(fabric, { name: 'f', source: version(name) })),
  );
  t.equal(await (await fn?.fetch('http://f/'))?.text(), '3');
});

test('closing frees everything', { skip: untestable }, async (t) => {
  const [another = 'boot'] = strategiesOf('clone', 'pool');
  const before = countMachines();
  const fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'f', source: version('1') });
  await deploy(fabric, { name: 'g', source: version('2'), strategy: another });
  const instance = await fn.spawn();
  await instance.fetch('http://f/');
  await deploy(fabric, { name: 'f', source: version('3') });
  const running = fn.fetch('http://f/');
  t.ok(countMachines() > before);
  await fabric.close();
  t.equal(await countMachinesOnce(before), before);
  t.equal(await (await running).text(), '3', 'what was under way has finished');
  await t.rejects(instance.fetch('http://f/'), { code: 'INSTANCE_GONE' });
  await t.rejects(fn.fetch('http://f/'), { code: 'FUNCTION_MISSING' });
  await t.rejects(deploy(fabric, { name: 'h', source: version('4') }), { code: 'FABRIC_CLOSED' });
  await fabric.close();
});

test('a removed function is gone', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  {
    await using fn = await deploy(fabric, { name: 'f', source: version('1') });
    t.equal(fabric.function('f'), fn);
  }
  t.equal(fabric.function('f'), undefined);
});
