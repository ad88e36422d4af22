import { test } from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { serve, URL } from './serve.js';

const SLEEP = 'const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));';
const utf8 = new TextDecoder();

/** Chunks of a body with the milliseconds at which each came. */
async function timed(response: Response): Promise<{ text: string; at: number }[]> {
  const start = performance.now();
  const chunks: { text: string; at: number }[] = [];
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    chunks.push({ text: utf8.decode(chunk), at: performance.now() - start });
  }
  return chunks;
}

test('server-sent events: the head is there before the first of them', {
  skip: noDriver,
}, async (t) => {
  const body = `${SLEEP}
    return new Response(new ReadableStream({
      async start(controller) {
        for (let i = 0; i < 3; i++) {
          await sleep(300);
          controller.enqueue(new TextEncoder().encode('data: ' + i + '\\n\\n'));
        }
        controller.close();
      },
    }), { headers: { 'content-type': 'text/event-stream' } });`;
  await serve(body, async ({ fn }) => {
    const start = performance.now();
    const response = await fn.fetch(URL);
    t.ok(performance.now() - start < 280, 'the head came at once');
    t.equal(response.headers.get('content-type'), 'text/event-stream');
    const chunks = await timed(response);
    t.strictSame(
      chunks.map(({ text }) => text),
      ['data: 0\n\n', 'data: 1\n\n', 'data: 2\n\n'],
    );
    t.ok((chunks[2]?.at ?? 0) - (chunks[0]?.at ?? 0) > 300, 'each came when it was made');
  });
});

test('a first chunk that is there goes out with the head, and so does an empty body', {
  skip: noDriver,
}, async (t) => {
  const body = `
    const isEmpty = new URL(request.url).searchParams.has('empty');
    return new Response(new ReadableStream({
      start(controller) {
        if (!isEmpty) controller.enqueue(new TextEncoder().encode('at once'));
        controller.close();
      },
    }));`;
  await serve(body, async ({ fn }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'at once');
    const empty = await fn.request({ url: `${URL}&empty` });
    t.equal(String(empty.body), '');
  });
});

test('empty chunks do not end a body', { skip: noDriver }, async (t) => {
  const body = `
    let count = 0;
    return new Response(new ReadableStream({
      pull(controller) {
        count += 1;
        if (count === 9) controller.close();
        else controller.enqueue(count % 3 === 0 ? new TextEncoder().encode('x') : new Uint8Array());
      },
    }));`;
  await serve(body, async ({ fn }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'xx');
  });
});

test('an echo gives each chunk back before the next one comes', { skip: noDriver }, async (t) => {
  await serve('return new Response(request.body);', async ({ fn }) => {
    let send: (text: string) => void = () => {};
    let close: () => void = () => {};
    const input = new ReadableStream<Uint8Array>({
      start(controller) {
        send = (text) => controller.enqueue(Buffer.from(text));
        close = () => controller.close();
      },
    });
    send('first');
    const init = { method: 'POST', body: input, duplex: 'half' } as RequestInit;
    const response = await fn.fetch(URL, init);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    t.equal(utf8.decode((await reader.read()).value), 'first');
    for (const text of ['second', 'third']) {
      send(text);
      t.equal(utf8.decode((await reader.read()).value), text);
    }
    close();
    t.equal((await reader.read()).done, true);
  });
});

test('a large body goes through a transform both ways', { skip: noDriver }, async (t) => {
  const body = `
    return new Response(request.body.pipeThrough(new TransformStream({
      transform(chunk, controller) {
        for (let i = 0; i < chunk.length; i += 4099) chunk[i] ^= 0xff;
        controller.enqueue(chunk);
      },
    })));`;
  await serve(body, async ({ fn }) => {
    const bytes = new Uint8Array(3_000_000).map((_, i) => i % 251);
    const response = await fn.fetch(URL, { method: 'POST', body: bytes });
    const echoed = new Uint8Array(await response.arrayBuffer());
    t.equal(echoed.length, bytes.length);
    const changed = echoed.reduce((sum, byte, i) => sum + Number(byte !== bytes[i]), 0);
    t.ok(changed >= Math.floor(bytes.length / 4099) && changed < 1000, `${changed} changed`);
  });
});

test('what a body stream throws after the head ends the body with that error', {
  skip: noDriver,
}, async (t) => {
  const body = `${SLEEP}
    return new Response(new ReadableStream({
      async start(controller) {
        controller.enqueue(new Uint8Array(1));
        await sleep(20);
        controller.error(new RangeError('half way'));
      },
    }));`;
  await serve(body, async ({ fn }) => {
    const response = await fn.fetch(URL);
    t.equal(response.status, 200);
    await t.rejects(response.text(), {
      code: 'FUNCTION_THREW',
      details: { name: 'RangeError', message: 'half way' },
    });
  });
});

test('what it throws before any chunk is the error of the request', {
  skip: noDriver,
}, async (t) => {
  const body = `return new Response(new ReadableStream({
      start(controller) { controller.error(new RangeError('at once')); },
    }));`;
  await serve(body, async ({ fn }) => {
    await t.rejects(fn.request({ url: URL }), {
      code: 'FUNCTION_THREW',
      details: { name: 'RangeError', message: 'at once' },
    });
  });
  await serve(
    "return new Response(new ReadableStream({ start(c) { c.enqueue('text'); } }));",
    async ({ fn }) => {
      await t.rejects(fn.request({ url: URL }), {
        code: 'FUNCTION_THREW',
        details: { name: 'TypeError', message: /no Uint8Array/ },
      });
    },
  );
});

test('a client that reads no further ends the instance', { skip: noDriver }, async (t) => {
  const body = `${SLEEP}
    let count = 0;
    return new Response(new ReadableStream({
      async pull(controller) {
        await sleep(10);
        console.log('chunk ' + ++count);
        controller.enqueue(new Uint8Array(1000));
      },
    }));`;
  await serve(body, async ({ fn, lines }) => {
    const response = await fn.fetch(URL);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const count = lines.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    t.equal(lines.length, count, 'nothing is made any more');
  });
});

test('work behind a streamed body', { skip: noDriver }, async (t) => {
  const body = `${SLEEP}
    ctx.waitUntil(sleep(80).then(() => console.log('after the body')));
    return new Response(new ReadableStream({
      async pull(controller) {
        await sleep(10);
        controller.enqueue(new TextEncoder().encode('x'));
        controller.close();
      },
    }));`;
  await serve(body, async ({ fn, lines }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'x');
    t.notOk(lines.some(({ msg }) => msg === 'after the body'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    t.ok(lines.some(({ msg }) => msg === 'after the body'));
  });
});
