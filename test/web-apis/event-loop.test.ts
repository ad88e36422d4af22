import { test } from 'tap';
import { Fabric, HatcheryError } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { lineLike, serve, URL } from './serve.js';

test('timers and bindings are for requests, not for start-up', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  const handler = 'export default { fetch: () => new Response() };';
  for (const [name, code] of Object.entries({
    setTimeout: 'setTimeout(() => {}, 1);',
    setInterval: 'setInterval(() => {}, 1);',
    'AbortSignal.timeout': 'AbortSignal.timeout(1);',
    fetch: "await fetch('http://192.0.2.1/');",
  })) {
    await t.rejects(
      fabric.deploy({ name: 'start-up', source: `${code} ${handler}` }),
      {
        code: 'STARTUP_FAILED',
        message: new RegExp(`${name} works only while a request is served`),
      },
      name,
    );
  }
  const source = `clearTimeout(1); clearInterval(2); ${handler}`;
  const fn = await fabric.deploy({ name: 'start-up', source });
  t.equal((await fn.fetch(URL)).status, 200);
});

test('a handler may wait', { skip: noDriver }, async (t) => {
  const body = `
    const start = performance.now();
    const before = Date.now();
    const text = await request.text();
    await new Promise((resolve) => setTimeout(resolve, 50));
    return Response.json([text, request.headers.get('x-a'), performance.now() - start,
      Date.now() - before]);`;
  await serve(body, async ({ fn }) => {
    const headers = { 'x-a': '1' };
    const request = () => new Request(URL, { method: 'POST', body: 'text', headers });
    const all = await Promise.all([1, 2, 3, 4].map(() => fn.fetch(request())));
    for (const response of all) {
      const [text, header, waited, passed] = (await response.json()) as [
        string,
        string,
        ...number[],
      ];
      t.strictSame([text, header], ['text', '1']);
      t.ok((waited as number) >= 49.9 && (waited as number) < 5000, `${waited} ms`);
      t.ok(Math.abs((waited as number) - (passed as number)) < 100, `${passed} ms of wall time`);
    }
  });
});

test('what was not read before the wait can be read after it', { skip: noDriver }, async (t) => {
  const body = `
    const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
    await pause();
    const header = request.headers.get('x-latin');
    if (request.headers.get('x-how') === 'chunks') {
      const sizes = [];
      for await (const chunk of request.body) {
        sizes.push(chunk.length);
        await pause();
      }
      return Response.json([header, sizes]);
    }
    const copy = request.clone();
    await pause();
    return Response.json([header, (await request.text()).length, (await copy.bytes()).length]);`;
  await serve(body, async ({ fn }) => {
    const send = async (how: string, size: number) => {
      const headers = { 'x-how': how, 'x-latin': 'caf\xe9' };
      const request = new Request(URL, { method: 'POST', headers, body: 'x'.repeat(size) });
      return (await fn.fetch(request)).json();
    };
    t.strictSame(await send('whole', 100_000), ['caf\xe9', 100_000, 100_000]);
    t.strictSame(await send('whole', 0), ['caf\xe9', 0, 0]);
    t.strictSame(await send('whole', 1_500_000), ['caf\xe9', 1_500_000, 1_500_000]);
    t.strictSame(await send('chunks', 100_000), ['caf\xe9', [65_536, 100_000 - 65_536]]);
    const [, sizes] = (await send('chunks', 1_000_000)) as [string, number[]];
    t.equal(
      sizes.reduce((sum, size) => sum + size),
      1_000_000,
    );
  });
});

test('timers go on while a body is awaited', { skip: noDriver }, async (t) => {
  const body = `
    let ticks = 0;
    const id = setInterval(() => ticks++, 5);
    const text = await request.text();
    clearInterval(id);
    return Response.json([text, ticks]);`;
  await serve(body, async ({ fn }) => {
    const slow = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('a'));
        await new Promise((resolve) => setTimeout(resolve, 300));
        controller.enqueue(Buffer.from('b'));
        controller.close();
      },
    });
    const init = { method: 'POST', body: slow, duplex: 'half' } as RequestInit;
    const [text, ticks] = (await (await fn.fetch(URL, init)).json()) as [string, number];
    t.equal(text, 'ab');
    t.ok(ticks > 1, `${ticks} ticks`);
  });
});

test('a pending timer does not keep the instance', { skip: noDriver }, async (t) => {
  const body = `
    setTimeout(() => console.log('never seen'), 30);
    setInterval(() => console.log('never seen'), 10);
    if (new URL(request.url).searchParams.has('wait')) await new Promise((r) => setTimeout(r, 1));
    return new Response('now');`;
  await serve(body, async ({ fn, lines }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'now');
    t.equal(await (await fn.fetch(`${URL}&wait`)).text(), 'now');
    await new Promise((resolve) => setTimeout(resolve, 80));
    t.strictSame(
      lines.filter(({ msg }) => msg === 'never seen'),
      [],
    );
  });
});

test('waitUntil keeps it until its promises are settled', { skip: noDriver }, async (t) => {
  const body = `
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    setInterval(() => console.log('tick'), 15);
    ctx.waitUntil((async () => {
      await sleep(200);
      console.log('first is done');
      ctx.waitUntil(sleep(20).then(() => console.log('second is done')));
    })());
    ctx.waitUntil(sleep(5).then(() => { throw new Error('after a while'); }));
    return new Response('at once');`;
  await serve(body, async ({ fn, lines }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'at once');
    t.notOk(lines.some(({ msg }) => /is done/.test(msg)));
    t.ok(await lineLike(lines, /second is done/));
    t.ok(await lineLike(lines, /Uncaught Error: after a while/));
    const ticks = () => lines.filter(({ msg }) => msg === 'tick').length;
    const atEnd = ticks();
    t.ok(atEnd >= 3, `${atEnd} ticks`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.equal(ticks(), atEnd, 'then it ends');
    t.notOk(lines.some(({ msg }) => /can never settle/.test(msg)));
  });
});

test('a timer that throws is logged', { skip: noDriver }, async (t) => {
  const body = `
    setTimeout(() => { throw new TypeError('in a timer'); }, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return new Response('unharmed');`;
  await serve(body, async ({ fn, lines }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'unharmed');
    t.match(await lineLike(lines, /Uncaught TypeError: in a timer/), { level: 50 });
  });
});

test('a promise that nothing can settle is told apart from a slow one', {
  skip: noDriver,
}, async (t) => {
  await serve('setTimeout(() => {}, 20); await new Promise(() => {});', async ({ fn }) => {
    const start = performance.now();
    await t.rejects(fn.request({ url: URL }), { code: 'FUNCTION_STALLED' });
    t.ok(performance.now() - start > 15);
  });
  const limits = { wallMilliseconds: 200 };
  await serve(
    'setInterval(() => {}, 20); await new Promise(() => {});',
    async ({ fn }) => {
      await t.rejects(fn.request({ url: URL }), { code: 'DEADLINE_EXCEEDED' });
      const error = await fn.request({ url: URL }).catch((reason) => reason);
      t.ok(error instanceof HatcheryError);
    },
    { limits },
  );
});

test('nothing of a request is left for the next one', { skip: noDriver }, async (t) => {
  const body = `
    if (globalThis.ticks === undefined) {
      globalThis.ticks = 0;
      setInterval(() => ticks++, 1);
      globalThis.late = new Promise((resolve) => setTimeout(resolve, 1));
      return Response.json(ticks);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    return Response.json(ticks);`;
  await serve(body, async ({ fn }) => {
    await using instance = await fn.spawn();
    t.equal(await (await instance.fetch(URL)).json(), 0);
    t.equal(await (await instance.fetch(URL)).json(), 0);
    t.equal(await (await instance.fetch(URL)).json(), 0);
  });
});

test('10,000 timers', { skip: noDriver }, async (t) => {
  const body = `
    let ran = 0;
    for (let i = 0; i < 10000; i++) setTimeout(() => ran++, (i * 7919) % 50);
    for (let i = 0; i < 10000; i++) clearTimeout(setTimeout(() => ran++, 40));
    await new Promise((resolve) => setTimeout(resolve, 60));
    return Response.json(ran);`;
  await serve(body, async ({ fn }) => {
    t.equal(await (await fn.fetch(URL)).json(), 10_000);
  });
});
