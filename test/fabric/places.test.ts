import { monitorEventLoopDelay } from 'node:perf_hooks';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { defaultAdmission } from '../../src/fabric/default-admission.js';
import { Fabric } from '../../src/fabric/fabric.js';
import { type Admission, Places } from '../../src/fabric/places.js';
import { responseFrame } from '../channel/frames.js';
import { collectingLogger } from './collecting-logger.js';
import { simulate } from './simulated-fabric.js';
import { Simulator } from './simulator.js';

const URL = 'http://f/';
const ADMISSION: Admission = { concurrency: 4, queue: 2, queueMilliseconds: 100, instances: 2 };
const exhausted = (errno: string) =>
  new HatcheryError('DRIVER_FAILED', { call: 'KVM_CREATE_VM', errno });

test('the default comes from cores and memory', async (t) => {
  const { concurrency, queue, queueMilliseconds } = defaultAdmission();
  t.ok(concurrency >= 4 && Number.isInteger(concurrency), `${concurrency} at a time`);
  t.ok(queue > 0 && queueMilliseconds > 0);
});

test('places are bounded, and whoever waits is asked in turn', async (t) => {
  const places = new Places(ADMISSION, collectingLogger().logger);
  t.strictSame(
    [1, 2, 3, 4, 5].map(() => places.take()),
    [true, true, true, true, false],
  );
  const asked: string[] = [];
  const a = () => {
    asked.push('a');
    places.take();
  };
  const b = () => {
    asked.push('b');
    places.take();
  };
  places.listen(a);
  places.listen(b);
  places.giveBack();
  places.giveBack();
  places.giveBack();
  t.strictSame(asked, ['a', 'b', 'a']);
  places.unlisten(a);
  places.giveBack();
  t.strictSame(asked, ['a', 'b', 'a', 'b']);
});

test('where the machine is exhausted there are fewer places, for a while', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { logger, lines } = collectingLogger();
  const places = new Places({ ...ADMISSION, concurrency: 8 }, logger);
  places.take();
  places.take();
  places.take();
  t.equal(places.shrink(exhausted('EIO')), false, 'that is another failure');
  t.equal(places.shrink(new HatcheryError('STARTUP_FAILED')), false);
  t.equal(places.limit, 8);
  for (const errno of ['ENOMEM', 'EMFILE']) {
    t.equal(places.shrink(exhausted(errno)), true);
    t.equal(places.limit, 3, 'as many as are taken');
  }
  t.match(lines, [{ concurrency: 3, configured: 8, errno: 'ENOMEM' }]);
  t.equal(lines.length, 1, 'it is said once');
  let offered = 0;
  places.listen(() => {
    offered += 1;
  });
  mock.timers.tick(2_100);
  t.equal(places.limit, 4);
  t.equal(offered, 1);
  for (let i = 0; i < 5; i += 1) {
    mock.timers.tick(2_000);
  }
  t.equal(places.limit, 8);
  t.match(lines.at(-1)?.msg, /as configured again/);
});

test('the places are those of all functions together', async (t) => {
  const driver = new Simulator({
    serve: () => [{ kind: 'respond', milliseconds: 20, payload: responseFrame() }],
  });
  const fabric = await Fabric.open({
    driver,
    admission: { concurrency: 2, queue: 100, queueMilliseconds: 5_000 },
  });
  const functions = await Promise.all(
    ['f', 'g', 'h'].map((name) => fabric.deploy({ name, image: 'hello' })),
  );
  const done: string[] = [];
  const start = performance.now();
  await Promise.all(
    functions.flatMap((fn) =>
      Array.from({ length: 4 }, async () => {
        await fn.request({ url: URL });
        done.push(fn.name);
      }),
    ),
  );
  t.ok(performance.now() - start >= 6 * 19, '12 requests of 20 ms, two at a time');
  t.strictSame(new Set(done.slice(0, 6)).size, 3, 'each function has its turn');
  await fabric.close();
});

test('requests wait while the machine is exhausted, and are served when it recovers', async (t) => {
  let failing = false;
  const { logger, lines } = collectingLogger();
  const { fabric, fn, driver } = await simulate(
    {
      serve: () => [{ kind: 'respond', milliseconds: 30, payload: responseFrame() }],
      createShell() {
        if (failing) {
          throw exhausted('ENOMEM');
        }
      },
    },
    { logger, admission: { concurrency: 8, queue: 20 } },
  );
  failing = true;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 6 }, () => fn.request({ url: URL })),
  );
  t.ok(
    outcomes.every(({ status }) => status === 'fulfilled'),
    'the one instance that there is serves all',
  );
  t.ok(lines.some((line) => /fewer instances at a time/.test(line.msg)));
  failing = false;
  t.equal((await fn.request({ url: URL })).status, 200);
  await fabric.close();
  t.equal(driver.shells.size, 0);
});

test('where nothing can be made and nothing is out, a request is refused at once', async (t) => {
  let failing = false;
  const { fabric, fn } = await simulate(
    {
      serve: () => [{ kind: 'respond', payload: responseFrame() }],
      createShell() {
        if (failing) {
          throw exhausted('EMFILE');
        }
      },
    },
    { strategy: 'boot' },
  );
  failing = true;
  await t.rejects(fn.request({ url: URL }), { code: 'OVERLOADED', details: { retryAfter: 1 } });
  failing = false;
  t.equal((await fn.request({ url: URL })).status, 200, 'the next one is served');
  await fabric.close();
});

test('at twice the load, each request is served soon or refused', async (t) => {
  const queueMilliseconds = 150;
  const { fabric, fn } = await simulate(
    { serve: () => [{ kind: 'respond', milliseconds: 20, payload: responseFrame() }] },
    { admission: { concurrency: 4, queue: 40, queueMilliseconds } },
  );
  const turns = monitorEventLoopDelay({ resolution: 5 });
  turns.enable();
  // Four at a time, 20 ms each: 200 in a second.
  const outcomes: Promise<number | string>[] = [];
  for (let tick = 0; tick < 100; tick += 1) {
    for (let i = 0; i < 4; i += 1) {
      outcomes.push(
        fn.request({ url: URL }).then(
          ({ timeline }) => timeline.queue as number,
          (error: HatcheryError) => error.code,
        ),
      );
    }
    await sleep(10);
  }
  const settled = await Promise.all(outcomes);
  const waits = settled.filter((one) => typeof one === 'number');
  const refused = settled.filter((one) => one === 'OVERLOADED');
  t.equal(waits.length + refused.length, settled.length, 'none is lost');
  t.ok(waits.length > 100 && refused.length > 50, `${waits.length} of ${settled.length} served`);
  turns.disable();
  const longest = Math.max(...waits);
  // Nobody is sent away while the event loop does not turn, which is not the fabric's doing here.
  const stalled = turns.max / 1e6;
  t.ok(
    longest < queueMilliseconds + 60 + stalled,
    `none waited for longer than ${longest} ms; the event loop stood still for up to ${stalled} ms`,
  );
  await fabric.close();
});

test('after a burst, machines that nobody needs are destroyed', async (t) => {
  const { driver, fabric, fn } = await simulate(
    { serve: () => [{ kind: 'respond', milliseconds: 50, payload: responseFrame() }] },
    { admission: { concurrency: 20, queue: 100 } },
  );
  await Promise.all(Array.from({ length: 20 }, () => fn.request({ url: URL })));
  t.ok(driver.shells.size > 5, `${driver.shells.size} live`);
  await sleep(5_500);
  t.ok(driver.shells.size <= 2, `${driver.shells.size} are left`);
  t.equal((await fn.request({ url: URL })).status, 200);
  await fabric.close();
});

test('who waits in line and goes away is forgotten', async (t) => {
  const { fabric, fn } = await simulate(
    { serve: () => [{ kind: 'respond', milliseconds: 50, payload: responseFrame() }] },
    { admission: { concurrency: 1, queue: 1 } },
  );
  const controller = new AbortController();
  const first = fn.fetch(URL);
  await sleep(5);
  const second = fn.fetch(URL, { signal: controller.signal });
  await sleep(5);
  await t.rejects(fn.fetch(URL), { code: 'OVERLOADED' });
  controller.abort(new Error('enough'));
  await t.rejects(second, { message: 'enough' });
  const third = fn.fetch(URL);
  t.equal((await first).status, 200);
  t.equal((await third).status, 200, 'its place in the queue is free');
  await fabric.close();
});
