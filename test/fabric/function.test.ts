import { test } from 'tap';
import { type Timeline, timelineOf } from '../../src/index.js';
import { hasSnapshots, tested, untestable } from '../drivers/driver-under-test.js';
import { collectingLogger } from './collecting-logger.js';
import { deploy, openFabric } from './fabric-under-test.js';

test('a function gets its environment, and its log goes to the fabric', {
  skip: untestable,
}, async (t) => {
  const { logger, lines } = collectingLogger();
  await using fabric = await openFabric({ logger });
  const fn = await deploy(fabric, {
    name: 'env',
    source: `
      console.info('starting');
      export default {
        fetch(request, env) {
          console.warn('serving', { a: 1 });
          return Response.json(env);
        },
      };
    `,
    env: { GREETING: 'grüß dich', EMPTY: '' },
  });
  t.strictSame(await (await fn.fetch('http://f/')).json(), { GREETING: 'grüß dich', EMPTY: '' });
  const start = { level: 30, function: 'env', msg: 'starting' };
  t.match(lines, [
    start,
    ...(hasSnapshots ? [] : [start]),
    { level: 40, function: 'env', msg: /^serving/, requestId: /./ },
  ]);
});

test('warming up runs the handler before the snapshot', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const source = 'let n = 0; export default { fetch: () => new Response(String(++n)) };';
  const count = async (warmUp: boolean) => {
    const fn = await deploy(fabric, { name: 'warm', source, warmUp });
    return Number(await (await fn.fetch('http://f/')).text());
  };
  t.equal(await count(false), 1);
  const warm = await count(true);
  t.ok(warm > 1);
  t.equal(await count(true), warm);
});

test('a request goes in and a response comes out as with fetch', {
  skip: untestable,
}, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, {
    name: 'echo',
    source: `
      export default {
        async fetch(request) {
          const headers = new Headers({ 'x-method': request.method, 'x-url': request.url });
          headers.append('set-cookie', 'a=1');
          headers.append('set-cookie', 'b=2');
          headers.set('x-header', request.headers.get('x-header'));
          const status = Number(request.headers.get('x-status') ?? 200);
          return new Response(status === 204 ? null : await request.text(), { status, headers });
        },
      };
    `,
  });
  const response = await fn.fetch(
    new Request('http://f/p?q', {
      method: 'POST',
      headers: { 'X-Header': 'ä' },
      body: new Blob(['grüß', ' dich']).stream(),
      duplex: 'half',
    }),
  );
  t.equal(response.headers.get('x-method'), 'POST');
  t.equal(response.headers.get('x-url'), 'http://f/p?q');
  t.equal(response.headers.get('x-header'), 'ä');
  t.strictSame(response.headers.getSetCookie(), ['a=1', 'b=2']);
  t.equal(await response.text(), 'grüß dich');
  const none = await fn.fetch('http://f/', { headers: { 'x-status': '204' } });
  t.equal(none.status, 204);
  t.equal(none.body, null);
  await t.rejects(fn.fetch('/relative'), TypeError);
});

test('the timeline is whole, and fits the time that passed', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const source = 'export default { fetch: () => new Response("ok") };';
  for (const strategy of tested.strategies) {
    const fn = await deploy(fabric, { name: 'f', source, strategy });
    t.match(fn.coldStart, { load: Number, create: Number, boot: Number }, strategy);
    t.ok((fn.bundleMilliseconds ?? 0) > 0);
    for (let i = 0; i < 3; i += 1) {
      const start = performance.now();
      const response = await fn.fetch('http://f/');
      const passed = performance.now() - start;
      const timeline = timelineOf(response);
      const phases = timeline?.phases() ?? [];
      const names = phases.map(([name]) => name).join();
      const cold = strategy === 'boot' ? ',load,create,boot' : '';
      t.match(names, `accept,queue,spawn,guest,reply${cold}`, `${strategy}: ${names}`);
      const sum = phases.reduce((total, [, duration]) => total + duration, 0);
      t.ok(sum <= passed + 0.01, `${strategy}: ${sum} of ${passed} ms`);
      t.ok(phases.every(([, duration]) => duration >= 0));
      t.ok((timeline?.guest ?? 0) > 0.005, 'the guest took its time');
    }
  }
});

test('a timeline says when the instance was gone', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const source =
    'export default { fetch: (request) => new Response(new URL(request.url).pathname) };';
  for (const strategy of fabric.driver.strategies) {
    const fn = await deploy(fabric, { name: 'ends', source, strategy });
    const timelines = [];
    for (const path of ['/a', '/b']) {
      const response = await fn.fetch(`http://f${path}`);
      t.equal(await response.text(), path);
      timelines.push(timelineOf(response) as Timeline);
    }
    // Machines are destroyed at the latest when nothing serves them any more.
    await fn.remove();
    for (const { end, guest } of timelines) {
      t.ok((end ?? 0) > 0, `${strategy}: after its end`);
      t.not(end, guest);
    }
  }
});
