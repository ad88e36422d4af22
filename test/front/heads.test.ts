import { test } from 'tap';
import { type Echo, echo, withFake } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

function many(count: number, value = ''): string[] {
  return Array.from({ length: count }, (_, i) => `x${i}:${value}`);
}

test('100,000 headers are refused, by their bytes or by their number', async (t) => {
  for (const [maxRequestHeadBytes, unit, limit] of [
    [16 * 1024, 'bytes', 16 * 1024],
    [16 * 1024 * 1024, 'headers', 128],
  ] as const) {
    await withFake(
      echo,
      async ({ url }) => {
        const head = lines('GET / HTTP/1.1', 'Host: h', ...many(100_000));
        const client = await Client.open(url);
        client.send(head);
        await client.until(/\}$/);
        t.strictSame(statusesOf(client.text), [431]);
        t.match(jsonOf(client.text), { code: 'REQUEST_HEAD_TOO_LARGE', details: { limit, unit } });
        client.socket.destroy();
        t.equal((await fetch(url)).status, 200);
      },
      { limits: { maxRequestHeadBytes } },
    );
  }
});

test('no header is dropped without a word', (t) =>
  withFake(
    echo,
    async ({ url }) => {
      // More than Node's own limit of 2,000.
      for (const [count, status] of [
        [2_998, 200],
        [2_999, 431],
      ] as const) {
        const answer = await exchange(url, lines('GET / HTTP/1.1', 'Host: h', ...many(count, '1')));
        t.strictSame(statusesOf(answer), [status]);
        if (status === 200) {
          const { headers } = jsonOf(answer) as Echo;
          t.equal(headers.filter(([name]) => /^x\d/.test(name)).length, count);
        }
      }
    },
    { limits: { maxHeaders: 3_000, maxRequestHeadBytes: 1 << 20 } },
  ));

test('a head that never ends is refused, as is a long target', (t) =>
  withFake(echo, async ({ url }) => {
    for (const bytes of [
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: h\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(20_000)}`,
      `GET / HTTP/1.1\r\nHost: h\r\n${'x'.repeat(20_000)}`,
    ]) {
      const answer = await exchange(url, bytes);
      t.strictSame(statusesOf(answer), [431]);
      t.match(jsonOf(answer), { details: { limit: 16 * 1024, unit: 'bytes' } });
    }
  }));

test('a head that does not come in time is refused', (t) =>
  withFake(
    echo,
    async ({ url }) => {
      const answer = await exchange(url, 'GET / HTTP/1.1\r\nHost: h\r\n');
      t.strictSame(statusesOf(answer), [408]);
      t.match(jsonOf(answer), { code: 'REQUEST_TIMEOUT', requestId: /./ });
    },
    { clientMilliseconds: 100 },
  ));

test('content types that are none go to the function', (t) =>
  withFake(echo, async ({ url }) => {
    for (const type of ['nonsense', 'text/', ';', 'a/b; c']) {
      const answer = await exchange(
        url,
        `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: 1\r\nConnection: close\r\n\r\na`,
      );
      t.match(jsonOf(answer), { body: 'a' });
    }
  }));
