import { test } from 'tap';
import type { Limits } from '../../src/index.js';
import { milliseconds, strategiesOf, untestable, waitedOut } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const SOURCE = `
  export default {
    async fetch(request, env, ctx) {
      const { pathname, searchParams } = new URL(request.url);
      switch (pathname) {
        case '/loop': for (;;);
        case '/memory': {
          const all = [];
          for (;;) all.push(new Uint8Array(1 << 20).fill(1));
        }
        case '/stack': return (function down() { return down() + 1; })();
        case '/stall': return new Promise(() => {});
        case '/echo': return new Response(await request.text());
        case '/large': return new Response('x'.repeat(Number(searchParams.get('bytes'))));
        case '/later':
          ctx.waitUntil((async () => { await null; console.log('later'); for (;;); })());
          return new Response('now');
      }
      return new Response('ok');
    },
  };
`;

const LIMITS: Partial<Limits> = {
  wallMilliseconds: waitedOut(1000),
  memoryBytes: 32 << 20,
  maxRequestBodyBytes: 1 << 20,
  maxResponseBodyBytes: 600_000,
};

const WALL_MILLISECONDS = milliseconds(waitedOut(1000));

for (const strategy of strategiesOf('clone', 'reset', 'boot').slice(0, 2)) {
  test(`limits give typed errors: ${strategy}`, { skip: untestable }, async (t) => {
    await using fabric = await openFabric();
    const fn = await deploy(fabric, { name: 'f', source: SOURCE, limits: LIMITS, strategy });
    const rejects = async (path: string, pattern: object, init?: RequestInit) => {
      const error = await fn.fetch(`http://f${path}`, init).catch((reason: unknown) => reason);
      t.match(error, pattern, path);
      const next = await fn.fetch('http://f/');
      t.equal(await next.text(), 'ok', `the request after ${path} is served`);
    };
    const start = performance.now();
    await rejects('/loop', {
      code: 'DEADLINE_EXCEEDED',
      status: 504,
      details: { limit: WALL_MILLISECONDS },
    });
    const took = performance.now() - start;
    const isInTime = took >= WALL_MILLISECONDS - 1 && took < 2 * WALL_MILLISECONDS;
    t.ok(isInTime, `ended after ${took} ms`);
    await rejects('/memory', { code: 'MEMORY_EXCEEDED', details: { limit: 32 << 20 } });
    await rejects('/stack', { code: 'FUNCTION_THREW', details: { name: /RangeError|Internal/ } });
    await rejects('/stall', { code: 'FUNCTION_STALLED' });
    await rejects(
      '/echo',
      { code: 'REQUEST_BODY_TOO_LARGE', status: 413 },
      { method: 'POST', body: 'x'.repeat((1 << 20) + 1) },
    );
    await rejects('/large?bytes=600001', { code: 'RESPONSE_BODY_TOO_LARGE', status: 502 });

    const large = 'x'.repeat(600_000);
    const echoed = await fn.fetch('http://f/echo', { method: 'POST', body: large });
    t.equal(await echoed.text(), large, 'what is within the limits goes through');

    const later = await fn.fetch('http://f/later');
    t.equal(await later.text(), 'now', 'background work does not delay the response');
    t.equal(await (await fn.fetch('http://f/')).text(), 'ok');
  });
}

test('a loop does not keep others waiting', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const limits = { ...LIMITS, wallMilliseconds: waitedOut(3000) };
  const fn = await deploy(fabric, { name: 'f', source: SOURCE, limits });
  let ended = 0;
  const loops = Array.from({ length: 4 }, () =>
    fn.fetch('http://f/loop').catch(() => {
      ended += 1;
    }),
  );
  let longest = 0;
  let last = performance.now();
  const ticking = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  for (let i = 0; i < 10; i += 1) {
    t.equal((await fn.request({ url: 'http://f/' })).status, 200);
  }
  clearInterval(ticking);
  t.equal(ended, 0, 'the loops have not ended yet');
  // Four loops and this thread share the processors with whatever else runs.
  t.ok(longest < milliseconds(500), `the event loop stood still for ${longest} ms at most`);
  await Promise.all(loops);
  t.equal(ended, 4);
});
