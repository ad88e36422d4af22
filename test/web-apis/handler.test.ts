import { test } from 'tap';
import { Fabric } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import { lineLike, serve, URL } from './serve.js';

test('the handler sees the request as it was sent', { skip: noDriver }, async (t) => {
  const body = `return Response.json([request.method, request.url, request.headers.get('x-a'),
    request.headers.get('x-latin'), await request.text(), env]);`;
  await serve(body, async ({ fn }) => {
    const response = await fn.fetch(
      new Request(URL, {
        method: 'PATCH',
        headers: [
          ['X-A', '1'],
          ['x-a', '2'],
          ['x-latin', 'caf\xe9'],
        ],
        body: 'body ü',
      }),
    );
    t.strictSame(await response.json(), [
      'PATCH',
      URL,
      '1, 2',
      'caf\xe9',
      'body ü',
      { NAME: 'value' },
    ]);
  });
});

test('a large body can be read whole or in chunks', { skip: noDriver }, async (t) => {
  const body = `
    if (request.headers.get('x-how') === 'whole') {
      return Response.json([(await request.arrayBuffer()).byteLength]);
    }
    const sizes = [];
    for await (const chunk of request.body) sizes.push(chunk.length);
    return Response.json(sizes);`;
  await serve(body, async ({ fn }) => {
    const bytes = new Uint8Array(600_000);
    const send = async (how: string): Promise<number[]> => {
      const headers = { 'x-how': how };
      const request = new Request(URL, { method: 'POST', headers, body: bytes });
      return (await fn.fetch(request)).json() as Promise<number[]>;
    };
    t.strictSame(await send('whole'), [bytes.length]);
    const sizes = await send('chunks');
    t.ok(sizes.length > 5, `${sizes.length} chunks`);
    t.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      bytes.length,
    );
  });
});

test('a copy of the request has the body too', { skip: noDriver }, async (t) => {
  const body = `const copy = request.clone();
    return Response.json([await copy.text(), await request.json()]);`;
  await serve(body, async ({ fn }) => {
    const response = await fn.fetch(new Request(URL, { method: 'POST', body: '[1]' }));
    t.strictSame(await response.json(), ['[1]', [1]]);
  });
});

test('the client gets the response as it was made', { skip: noDriver }, async (t) => {
  const body = `const headers = new Headers({ 'X-Latin': 'caf\\xe9' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    return new Response(new Uint8Array([0, 255, 10]), { status: 418, headers });`;
  await serve(body, async ({ fn }) => {
    const response = await fn.fetch(URL);
    t.equal(response.status, 418);
    t.equal(response.headers.get('x-latin'), 'caf\xe9');
    t.strictSame(response.headers.getSetCookie(), ['a=1', 'b=2']);
    t.strictSame([...new Uint8Array(await response.arrayBuffer())], [0, 255, 10]);
  });
});

test('the request can be echoed', { skip: noDriver }, async (t) => {
  await serve('return new Response(request.body);', async ({ fn }) => {
    const body = 'x'.repeat(300_000);
    const response = await fn.fetch(new Request(URL, { method: 'POST', body }));
    t.equal((await response.text()).length, body.length);
  });
});

test('a streamed body arrives whole', { skip: noDriver }, async (t) => {
  const body = `let count = 0;
    return new Response(new ReadableStream({
      pull(controller) {
        if (count++ === 5) controller.close();
        else controller.enqueue(new TextEncoder().encode(String(count).repeat(100000)));
      },
    }), { headers: { 'x-a': '1' } });`;
  await serve(body, async ({ fn }) => {
    const response = await fn.fetch(URL);
    t.equal(response.headers.get('x-a'), '1');
    t.equal(
      await response.text(),
      ['1', '2', '3', '4', '5'].map((d) => d.repeat(100_000)).join(''),
    );
  });
});

test('a body that breaks off is an error, and so is one that stalls', {
  skip: noDriver,
}, async (t) => {
  const stream = (pull: string) => `let isFirst = true;
    return new Response(new ReadableStream({
      pull(controller) {
        if (isFirst) controller.enqueue(new Uint8Array(1));
        else ${pull};
        isFirst = false;
      },
    }));`;
  await serve(stream("throw new Error('broke off')"), async ({ fn }) => {
    await t.rejects((async () => (await fn.fetch(URL)).text())(), {
      code: 'FUNCTION_THREW',
      details: { name: 'Error', message: 'broke off' },
    });
  });
  await serve(stream('return new Promise(() => {})'), async ({ fn }) => {
    await t.rejects((async () => (await fn.fetch(URL)).text())(), { code: 'FUNCTION_STALLED' });
  });
});

test('what is no response is an error', { skip: noDriver }, async (t) => {
  for (const [value, message] of [
    ['undefined', /the handler returned undefined, not a Response/],
    ["'text'", /the handler returned string/],
    ['Response.error()', /Response\.error\(\)/],
  ] as const) {
    await serve(`return ${value};`, async ({ fn }) => {
      await t.rejects(fn.request({ url: URL }), {
        code: 'FUNCTION_THREW',
        details: { name: 'TypeError', message },
      });
    });
  }
});

test('a response may come through any thenable', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  const source = `export default {
    fetch: () => ({ then: (resolve) => resolve(new Response('from a thenable')) }),
  };`;
  const fn = await fabric.deploy({ name: 'thenable', source });
  t.equal(await (await fn.fetch(URL)).text(), 'from a thenable');
});

test('a module that is not in the bundle cannot be imported', { skip: noDriver }, async (t) => {
  const body = `const name = './absent.js';
    return new Response(await import(name).catch((error) => error.name));`;
  await serve(body, async ({ fn }) => {
    t.match(await (await fn.fetch(URL)).text(), /Error$/);
  });
});

test('a program may replace Promise', { skip: noDriver }, async (t) => {
  const body = `globalThis.Promise = class extends Promise {};
    await Promise.resolve();
    return new Response('served');`;
  await serve(body, async ({ fn }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'served');
  });
});

test('what start-up code logs is logged, once', { skip: noDriver }, async (t) => {
  const { logger, lines } = collectingLogger();
  await using fabric = await Fabric.open({ logger });
  const source = `console.warn('from start-up');
    Promise.reject(new Error('lost at start-up'));
    export default { fetch: () => new Response() };`;
  const fn = await fabric.deploy({ name: 'start-up', source });
  for (let i = 0; i < 3; i++) await fn.fetch(URL);
  t.match(await lineLike(lines, /^from start-up$/), { level: 40 });
  t.match(await lineLike(lines, /Uncaught \(in promise\) Error: lost at start-up/), { level: 50 });
  t.equal(lines.filter(({ msg }) => msg === 'from start-up').length, 1);
});

test('waitUntil goes on after the response', { skip: noDriver }, async (t) => {
  const body = `
    ctx.waitUntil((async () => { for (let i = 0; i < 9; i++) await i; console.log('work is done'); })());
    ctx.waitUntil(Promise.reject(new Error('work failed')));
    ctx.waitUntil(new Promise(() => {}));
    return new Response('at once');`;
  await serve(body, async ({ fn, lines }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'at once');
    t.match(await lineLike(lines, /work is done/), { level: 30 });
    t.match(await lineLike(lines, /Uncaught Error: work failed/), { level: 50 });
    t.match(await lineLike(lines, /waitUntil: 1 promise/), { level: 40 });
  });
});

test('work that can never end is told of', { skip: noDriver }, async (t) => {
  await serve('ctx.waitUntil(new Promise(() => {})); return new Response();', async (served) => {
    await served.fn.fetch(URL);
    t.match(await lineLike(served.lines, /waitUntil: 1 promise/), { level: 40 });
  });
});

test('a status given as text is sent', { skip: noDriver }, async (t) => {
  await serve("return new Response(null, { status: '404' });", async ({ fn }) => {
    t.equal((await fn.fetch(URL)).status, 404);
  });
});

test('rejections that nothing handles are logged', { skip: noDriver }, async (t) => {
  const body = `Promise.reject(new Error('lost'));
    const handled = Promise.reject(new Error('handled later'));
    await undefined;
    handled.catch(() => {});
    return new Response();`;
  await serve(body, async ({ fn, lines }) => {
    await fn.fetch(URL);
    t.match(await lineLike(lines, /Uncaught \(in promise\) Error: lost/), { level: 50 });
    t.notOk(lines.some(({ msg }) => /handled later/.test(msg)));
  });
});

test('the console formats and has levels', { skip: noDriver }, async (t) => {
  const body = `
    console.debug('%s is %d, %i and %o', 'x', 1.5, 2.7, { a: [1, 'b'] }, 'rest');
    console.info(new Map([['k', new Set([1n])]]), [, null], -0, Symbol('s'), () => {}, class A {});
    const cycle = { name: 'c' };
    cycle.self = cycle;
    console.warn(cycle, new Uint8Array(3), /r/g, new Date(0));
    console.error(new TypeError('bad'));
    console.group('group');
    console.log('inside');
    console.groupEnd();
    console.table([{ a: 1, b: 'x' }, { a: 2 }]);
    console.assert(false, 'claim %s', 1);
    console.count();
    console.count();
    return new Response();`;
  await serve(body, async ({ fn, lines }) => {
    await fn.fetch(URL);
    await lineLike(lines, /default: 2/);
    const seen = lines.map(({ level, msg }) => [level, msg]);
    for (const expected of [
      [20, "x is 1.5, 2 and { a: [ 1, 'b' ] } rest"],
      [
        30,
        "Map(1) { 'k' => Set(1) { 1n } } [ <empty>, null ] -0 Symbol(s) [Function: (anonymous)] [class A]",
      ],
      [
        40,
        "{ name: 'c', self: [Circular] } Uint8Array(3) [ 0, 0, 0 ] /r/g 1970-01-01T00:00:00.000Z",
      ],
      [30, 'group'],
      [30, '  inside'],
      [30, "(index) | a | b  \n--------+---+----\n0       | 1 | 'x'\n1       | 2 |    "],
      [50, 'Assertion failed: claim 1'],
      [30, 'default: 1'],
    ]) {
      t.ok(
        seen.some((line) => JSON.stringify(line) === JSON.stringify(expected)),
        `${expected[1]}\nin\n${seen.map(([, msg]) => msg).join('\n')}`,
      );
    }
    t.match(
      lines.find(({ msg }) => msg.startsWith('TypeError: bad')),
      { level: 50 },
    );
  });
});

test('the time zone is UTC, dates are the host’s', { skip: noDriver }, async (t) => {
  await serve('return Response.json([new Date(0).getHours(), Date.now()]);', async ({ fn }) => {
    const [hours, now] = (await (await fn.fetch(URL)).json()) as [number, number];
    t.equal(hours, 0);
    t.ok(Math.abs(now - Date.now()) < 1000);
  });
});

test('garbage is collected in an instance that lives on', { skip: noDriver }, async (t) => {
  const body = `for (let i = 0; i < 2000; i++) {
      const a = { bytes: new Uint8Array(10000) };
      a.self = a;
    }
    return new Response();`;
  await serve(body, async ({ fn }) => {
    await using instance = await fn.spawn();
    for (let i = 0; i < 5; i++) t.equal((await instance.fetch(URL)).status, 200);
  });
});

test('a request is over when the next one comes', { skip: noDriver }, async (t) => {
  const body = `const isFirst = globalThis.first === undefined;
    globalThis.first ??= request;
    if (isFirst) return Response.json([]);
    const messages = [];
    for (const read of [() => first.headers, () => first.text()]) {
      try { await read(); } catch (error) { messages.push(error.message); }
    }
    return Response.json([...messages, await request.text()]);`;
  await serve(body, async ({ fn }) => {
    await using instance = await fn.spawn();
    const post = async (text: string) => {
      const request = new Request(URL, { method: 'POST', body: text });
      return (await instance.fetch(request)).json();
    };
    t.strictSame(await post('one'), []);
    t.strictSame(await post('two'), ['the request is over', 'the request is over', 'two']);
  });
});
