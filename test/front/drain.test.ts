import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import type { FunctionRequest } from '../../src/fabric/message.js';
import { replyWith, until, withFake } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

function held() {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { until, release: () => release() };
}

test('what is in flight finishes, streams too, and what is new is DRAINING', (t) => {
  const slow = held();
  const handle = async ({ url }: FunctionRequest) => {
    async function* stream() {
      yield Buffer.from('first');
      await slow.until;
      yield Buffer.from('last');
    }
    if (url.endsWith('/stream')) {
      return replyWith(stream());
    }
    if (url.endsWith('/slow')) {
      await slow.until;
    }
    return replyWith('done');
  };
  return withFake(handle, async (front) => {
    const waiting = await Client.open(front.url);
    waiting.send('GET /slow HTTP/1.1\r\nHost: h\r\n\r\n');
    const streaming = await Client.open(front.url);
    streaming.send('GET /stream HTTP/1.1\r\nHost: h\r\n\r\n');
    await streaming.until(/first/);
    const idle = await Client.open(front.url);
    idle.send(GET);
    await idle.until(/done$/);

    const drained = front.drain(5_000);
    // On a connection that was open, and on a new one.
    idle.send(GET);
    await idle.closed;
    t.strictSame(statusesOf(idle.text), [200, 503]);
    const fresh = await exchange(front.url, GET);
    t.strictSame(statusesOf(fresh), [503]);
    t.match(jsonOf(fresh), { code: 'DRAINING', requestId: /./, details: { retryAfter: 1 } });
    t.match(fresh, /^Retry-After: 1\r$/m);
    t.match(fresh, /^Connection: close\r$/m);
    t.equal(front.inFlight, 2);

    slow.release();
    t.equal(await drained, true);
    await Promise.all([waiting.closed, streaming.closed]);
    t.match(waiting.text, /done$/);
    t.match(streaming.text, /last\r\n0\r\n\r\n$/);
    await t.rejects(Client.open(front.url), { code: 'ECONNREFUSED' });
  });
});

test('what takes too long is cut off', async (t) => {
  let gone = 0;
  const handle = (request: FunctionRequest) => {
    request.onGone = () => {
      gone += 1;
    };
    return new Promise<never>(() => {});
  };
  await withFake(handle, async (front) => {
    const client = await Client.open(front.url);
    client.send(GET);
    await until(() => front.inFlight === 1);
    const start = performance.now();
    t.equal(await front.drain(100), false);
    t.ok(performance.now() - start < 1_000);
    await client.closed;
    t.equal(gone, 1);
    await t.rejects(Client.open(front.url), { code: 'ECONNREFUSED' });
  });
});

test('clients that ask for nothing do not hold it up', (t) =>
  withFake(
    () => replyWith('done'),
    async (front) => {
      const idle = await Client.open(front.url);
      const half = await Client.open(front.url);
      half.send('GET / HTTP/1.1\r\n');
      const refused = await Client.open(front.url);
      refused.send('nonsense\r\n\r\n');
      await refused.until(/\}/);
      const start = performance.now();
      await front.close();
      t.ok(performance.now() - start < 1_000);
      await Promise.all([idle.closed, half.closed, refused.closed]);
    },
  ));

test('a large response reaches a slow client before the end', (t) =>
  withFake(
    () => replyWith(Buffer.alloc(16_000_000, '%')),
    async (front) => {
      const client = await Client.open(front.url);
      client.socket.pause();
      client.send(GET);
      await sleep(100);
      const closed = front.close();
      await sleep(100);
      client.socket.resume();
      await Promise.all([closed, client.closed]);
      t.equal(client.text.match(/%/g)?.length, 16_000_000);
    },
  ));

test('no more connections than allowed', (t) =>
  withFake(
    () => replyWith('done'),
    async ({ url }) => {
      const first = await Client.open(url);
      const second = await Client.open(url);
      const third = await Client.open(url);
      await third.closed;
      t.equal(third.text, '');
      first.send(GET);
      await first.until(/done$/);
      second.socket.destroy();
      await sleep(20);
      t.match(await exchange(url, lines('GET / HTTP/1.1', 'Host: h')), /done$/);
      first.socket.destroy();
    },
    { maxConnections: 2 },
  ));
