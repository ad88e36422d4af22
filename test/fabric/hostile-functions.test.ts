/** Functions that try to take more than they may: each gets its typed error, and the next is served. */
import { test } from 'tap';
import type { HatcheryError, Limits } from '../../src/index.js';
import {
  milliseconds,
  repetitions,
  strategiesOf,
  tested,
  untestable,
  untestableInLab,
  waitedOut,
} from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const SOURCE = `
  const attacks = {
    ok: () => new Response('ok'),
    loop: () => { for (;;); },
    regex: () => new Response(String(/^(a+)+$/.test('a'.repeat(60) + 'b'))),
    recursion: () => (function down(n) { return down(n + 1) + 1; })(0),
    json: () => JSON.parse('['.repeat(1e6)),
    arrays: () => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); },
    strings: () => { let text = 'x'; for (;;) text += text; },
    objects: () => { const all = []; for (;;) all.push({ next: all.at(-1) }); },
    microtasks: async () => { for (;;) await null; },
    timers: () => new Promise(() => setInterval(() => {}, 0)),
    never: () => new Promise(() => {}),
    thenable: () => ({ then() {} }),
    headers: () => new Response('', { headers: Array.from({ length: 100_000 }, (_, i) => ['x' + i, '1']) }),
    head: () => new Response('', { headers: { x: 'y'.repeat(100_000) } }),
    body: () => new Response('x'.repeat(5 << 20)),
    stream: () => new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); } })),
    log: () => { for (let i = 0; i < 1e5; i += 1) console.log('x'.repeat(1000)); return new Response('ok'); },
    parallel: async () => {
      await Promise.all(Array.from({ length: 150 }, (_, i) => env.echo(i)));
      return new Response('ok');
    },
    calls: async () => { for (;;) await env.echo(1); },
    flood: () => Promise.all(Array.from({ length: 5000 }, () => env.echo(1))),
    large: async () => { await env.echo('x'.repeat(2 << 20)); return new Response('ok'); },
    slow: async () => { await env.sleep(); return new Response('ok'); },
    fetch: async () => { await fetch('http://127.0.0.1:1/'); return new Response('ok'); },
    later: () => { context.waitUntil(new Promise((resolve) => setTimeout(resolve, 60_000))); return new Response('ok'); },
  };
  let env, context;
  export default {
    fetch(request, given, ctx) {
      env = given;
      context = ctx;
      return attacks[new URL(request.url).pathname.slice(1)](request);
    },
  };
`;

const CPU_MILLISECONDS = waitedOut(1000);

/** The wall's time is plenty: with others on the machine, using that much of a processor may take long. */
const LIMITS: Partial<Limits> = {
  wallMilliseconds: 30_000,
  cpuMilliseconds: CPU_MILLISECONDS,
  memoryBytes: 32 << 20,
  maxResponseBodyBytes: 1 << 20,
  maxHostCalls: 200,
  maxHostCallBytes: 1 << 20,
  hostCallMilliseconds: milliseconds(waitedOut(200)),
  maxLogBytes: 64 << 10,
};

const CODES: Readonly<Record<string, object>> = {
  loop: { code: 'CPU_EXCEEDED', status: 504, details: { limit: milliseconds(CPU_MILLISECONDS) } },
  regex: { code: 'CPU_EXCEEDED' },
  recursion: { code: 'FUNCTION_THREW' },
  json: { code: /FUNCTION_THREW|MEMORY_EXCEEDED/ },
  arrays: { code: 'MEMORY_EXCEEDED', status: 502 },
  strings: { code: /MEMORY_EXCEEDED|FUNCTION_THREW/ },
  objects: { code: /MEMORY_EXCEEDED|CPU_EXCEEDED/ },
  microtasks: { code: 'CPU_EXCEEDED' },
  never: { code: 'FUNCTION_STALLED', status: 502 },
  thenable: { code: 'FUNCTION_STALLED' },
  headers: { code: /FUNCTION_THREW|RESPONSE_HEAD_TOO_LARGE|MEMORY_EXCEEDED|CPU_EXCEEDED/ },
  head: { code: 'RESPONSE_HEAD_TOO_LARGE', status: 502, details: { unit: 'bytes' } },
  body: { code: 'RESPONSE_BODY_TOO_LARGE', status: 502 },
  log: { code: 'LOG_EXCEEDED', status: 502, details: { limit: 64 << 10 } },
  calls: { code: 'HOST_CALLS_EXCEEDED', status: 502, details: { limit: 200 } },
  flood: { code: 'HOST_CALLS_EXCEEDED' },
  large: { code: 'FUNCTION_THREW' },
  slow: { code: 'FUNCTION_THREW', details: { name: 'TimeoutError' } },
  fetch: { code: 'FUNCTION_THREW', details: { name: 'TypeError' } },
};

/** In which the driver has a part; what the others do in their guest is the same on all drivers. */
const DRIVERS_PART = ['loop', 'recursion', 'arrays', 'never', 'log'];
const ALL_ATTACKS = tested.slowness === 1;
const ATTACKS = Object.entries(CODES).filter(
  ([name]) => ALL_ATTACKS || DRIVERS_PART.includes(name),
);

const bindings = {
  echo: async (value: unknown) => value,
  sleep: () => new Promise(() => {}),
};

/** Two, or one where each costs much. */
const STRATEGIES = strategiesOf('reset', 'clone', 'pool').slice(0, repetitions(2));

for (const strategy of STRATEGIES) {
  test(`each attack has its error: ${strategy}`, {
    skip: untestable,
    timeout: milliseconds(120_000),
  }, async (t) => {
    await using fabric = await openFabric();
    const fn = await deploy(fabric, {
      name: 'f',
      source: SOURCE,
      limits: LIMITS,
      bindings,
      strategy,
    });
    for (const [attack, expected] of ATTACKS) {
      const outcome = await fn.fetch(`http://f/${attack}`).catch((error: HatcheryError) => error);
      t.match(outcome, { ...expected, requestId: /./ }, attack);
      const next = await fn.fetch('http://f/ok');
      t.equal(await next.text(), 'ok', `the request after ${attack}`);
    }
    const endless = await fn.fetch('http://f/stream');
    await t.rejects(endless.arrayBuffer(), { code: 'RESPONSE_BODY_TOO_LARGE' }, 'stream');
    if (ALL_ATTACKS) {
      const parallel = await fn.fetch('http://f/parallel');
      t.equal(await parallel.text(), 'ok', 'more calls than may be in flight wait for each other');
    }
  });
}

test('attacks side by side leave memory where it was', {
  skip: untestableInLab('takes too long there'),
  timeout: 120_000,
}, async (t) => {
  await using fabric = await openFabric();
  const limits = { ...LIMITS, cpuMilliseconds: waitedOut(300) };
  const fn = await deploy(fabric, { name: 'f', source: SOURCE, limits, bindings });
  const attack = () =>
    Promise.all(
      Object.keys(CODES).map((name) =>
        fn.fetch(`http://f/${name}`).then(
          () => t.fail(`${name} was answered`),
          () => {},
        ),
      ),
    );
  await attack();
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 3; round += 1) {
    await attack();
  }
  global.gc?.();
  const grown = process.memoryUsage().rss - before;
  t.ok(grown < 64 << 20, `${(grown / 2 ** 20).toFixed(0)} MiB more after 60 attacks`);
  t.equal(await (await fn.fetch('http://f/ok')).text(), 'ok');
});

test('a guest that only waits meets its deadline', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const limits = { ...LIMITS, wallMilliseconds: waitedOut(500) };
  const fn = await deploy(fabric, { name: 'f', source: SOURCE, limits, bindings });
  await t.rejects(fn.fetch('http://f/timers'), { code: /DEADLINE_EXCEEDED|CPU_EXCEEDED/ });
  const later = await fn.fetch('http://f/later');
  t.equal(await later.text(), 'ok', 'background work does not hold the answer up');
  t.equal(await (await fn.fetch('http://f/ok')).text(), 'ok');
});

test('a body without end is refused when it is too large', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, {
    name: 'f',
    source: 'export default { async fetch(r) { return new Response(await r.text()); } };',
  });
  const chunk = new Uint8Array(1 << 20);
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
  });
  const init = { method: 'POST', body: endless, duplex: 'half' } as RequestInit;
  await t.rejects(fn.fetch('http://f/', init), { code: 'REQUEST_BODY_TOO_LARGE', status: 413 });
  t.ok(sent < 16 << 20, `${sent} bytes were taken of it`);
});
