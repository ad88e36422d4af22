import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { Fabric, type Front, type Limits, startFront } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { until } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

const SOURCE = `
  const encoder = new TextEncoder();
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  function body(write) {
    return new ReadableStream({
      async start(controller) {
        await write((text) => controller.enqueue(encoder.encode(text)), controller);
        controller.close();
      },
    });
  }

  export default {
    async fetch(request) {
      switch (new URL(request.url).pathname) {
        case '/events':
          return new Response(body(async (write) => {
            for (let i = 0; i < 5; i += 1) {
              write('data: ' + i + '\\n\\n');
              await sleep(40);
            }
          }), { headers: { 'content-type': 'text/event-stream' } });
        case '/endless':
          return new Response(body(async (write) => {
            for (;;) {
              write('tick\\n');
              await sleep(10);
            }
          }));
        case '/flood': {
          const chunk = new Uint8Array(65536);
          return new Response(new ReadableStream({ pull: (c) => c.enqueue(chunk) }));
        }
        case '/echo':
          return new Response(request.body);
        case '/length': {
          let bytes = 0;
          for await (const chunk of request.body) bytes += chunk.length;
          return Response.json({ bytes });
        }
        case '/throw':
          return new Response(body(async (write) => {
            write('before');
            await sleep(20);
            throw new Error('secret');
          }));
        case '/sleep':
          await sleep(60_000);
      }
      return new Response('ok');
    },
  };
`;

async function withGuest(
  use: (front: Front) => Promise<void>,
  limits: Partial<Limits> = {},
): Promise<void> {
  await using fabric = await Fabric.open({ admission: { concurrency: 1, queue: 4 } });
  await fabric.deploy({ name: 'f', source: SOURCE, limits });
  const front = await startFront(fabric, { functionName: 'f' });
  try {
    await use(front);
  } finally {
    await front.drain(0);
  }
}

test('events reach the client one by one', { skip: noDriver }, (t) =>
  withGuest(async ({ url }) => {
    const response = await fetch(`${url}/events`);
    const start = performance.now();
    const times: number[] = [];
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      times.push(performance.now() - start);
    }
    t.equal(text, [0, 1, 2, 3, 4].map((i) => `data: ${i}\n\n`).join(''));
    t.ok(times.length >= 5, 'each as it was written');
    t.ok((times.at(-1) as number) - (times[0] as number) >= 100);
  }),
);

test('a body goes in and out at the same time', { skip: noDriver }, (t) =>
  withGuest(async ({ url }) => {
    const client = await Client.open(url);
    client.send('POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    await client.until(/one\r\n$/);
    client.send('3\r\ntwo\r\n');
    await client.until(/two\r\n$/);
    client.send('0\r\n\r\n');
    await client.until(/\r\n0\r\n\r\n$/);
    await client.closed;
    t.match(client.text, 'HTTP/1.1 200 OK');

    const body = Buffer.alloc(
      3_000_000,
      Uint8Array.from({ length: 253 }, (_, i) => i),
    );
    const response = await fetch(`${url}/echo`, { method: 'POST', body });
    t.ok(Buffer.from(await response.arrayBuffer()).equals(body));
  }),
);

test('a body is read as far as its limit', { skip: noDriver }, (t) =>
  withGuest(
    async ({ url }) => {
      const send = async (bytes: number) => {
        const client = await Client.open(url);
        const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
        client.send('POST /length HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
        client.send(`${chunk.repeat(bytes / 0x10000)}0\r\n\r\n`);
        await client.until(/\}$/);
        client.socket.destroy();
        return client.text;
      };
      t.match(jsonOf(await send(1 << 20)), { bytes: 1 << 20 });
      const refused = await send(2 << 20);
      t.strictSame(statusesOf(refused), [413]);
      t.match(jsonOf(refused), { code: 'REQUEST_BODY_TOO_LARGE', details: { limit: 1 << 20 } });
      t.equal(await (await fetch(url)).text(), 'ok');
    },
    { maxRequestBodyBytes: 1 << 20 },
  ),
);

/** The one place of this fabric is free again. */
async function isFree(url: string): Promise<boolean> {
  const start = performance.now();
  return (await fetch(url)).status === 200 && performance.now() - start < 2_000;
}

test('a client that goes away ends the instance', { skip: noDriver }, (t) =>
  withGuest(
    async (front) => {
      for (const path of ['/sleep', '/endless', '/flood']) {
        const client = await Client.open(front.url);
        client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
        await until(() => front.inFlight === 1);
        await sleep(30);
        client.socket.destroy();
        await until(() => front.inFlight === 0);
        t.ok(await isFree(front.url), path);
      }
      const upload = await Client.open(front.url);
      upload.send('POST /length HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n');
      upload.send('x'.repeat(100_000));
      await sleep(50);
      upload.socket.destroy();
      t.ok(await isFree(front.url), 'in the middle of its request');
    },
    { wallMilliseconds: 20_000 },
  ),
);

test('a stream ends with the time of its instance', { skip: noDriver }, (t) =>
  withGuest(
    async ({ url }) => {
      const start = performance.now();
      const client = await Client.open(url);
      client.send('GET /endless HTTP/1.1\r\nHost: h\r\n\r\n');
      await client.closed;
      t.ok(performance.now() - start < 2_000);
      t.strictSame(statusesOf(client.text), [200]);
      t.notMatch(client.text, /\r\n0\r\n\r\n$/);
      // Nor does who reads nothing keep it.
      const deaf = await Client.open(url);
      deaf.socket.pause();
      deaf.send('GET /flood HTTP/1.1\r\nHost: h\r\n\r\n');
      await sleep(50);
      t.ok(await isFree(url));
      deaf.socket.destroy();
    },
    { wallMilliseconds: 300, maxResponseBodyBytes: 1 << 30 },
  ),
);

test(
  'an exception in the middle of a stream cuts it off, and says nothing',
  { skip: noDriver },
  (t) =>
    withGuest(async ({ url }) => {
      const answer = await exchange(url, lines('GET /throw HTTP/1.1', 'Host: h'));
      t.match(answer, 'before');
      t.notMatch(answer, 'secret');
      t.notMatch(answer, /\r\n0\r\n\r\n$/);
      t.equal(await (await fetch(url)).text(), 'ok');
    }),
);

test('HEAD of a stream ends it at once', { skip: noDriver }, (t) =>
  withGuest(
    async ({ url }) => {
      const answer = await exchange(url, lines('HEAD /endless HTTP/1.1', 'Host: h'));
      t.match(answer, /\r\n\r\n$/);
      t.ok(await isFree(url));
    },
    { wallMilliseconds: 20_000 },
  ),
);
