import fc from 'fast-check';
import { test } from 'tap';
import { echo, until, withFake } from './fake.js';
import { Client, exchange, lines, statusesOf } from './http.js';

/** Pieces of requests, and of what is none, in any order. */
const PIECE = fc.oneof(
  fc.constantFrom(
    'GET / HTTP/1.1\r\n',
    'POST /b HTTP/1.1\r\n',
    'HEAD /c HTTP/1.0\r\n',
    'CONNECT h:1 HTTP/1.1\r\n',
    'OPTIONS * HTTP/1.1\r\n',
    'Host: h\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 70000\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
    'Upgrade: websocket\r\n',
    'Connection: upgrade\r\n',
    'Connection: close\r\n',
    'TE: trailers\r\n',
    '\r\n',
    '5\r\nabcde\r\n',
    '0\r\n\r\n',
    'abcde',
    'ffffffffffffffff\r\n',
    'x'.repeat(70_000),
    '\0',
    '\n',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 20 }),
);

/** A start that is taken, so that the pieces behind it are, too. */
const START = fc.constantFrom(
  '',
  'GET / HTTP/1.1\r\nHost: h\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n',
);

test('nothing that a client sends keeps anything, or brings the server down', async (t) => {
  await withFake(echo, async (front) => {
    const send = async (start: string, pieces: readonly string[], isReset: boolean) => {
      const client = await Client.open(front.url);
      client.send(start);
      for (const piece of pieces) {
        client.send(piece);
      }
      if (isReset) {
        client.socket.resetAndDestroy();
      } else {
        client.socket.end();
      }
      await client.closed;
      // Every answer is one of HTTP, whatever was asked.
      return client.text === '' || /^HTTP\/1\.1 [1-5]\d\d /.test(client.text);
    };
    const pieces = fc.array(PIECE, { maxLength: 12 });
    await fc.assert(fc.asyncProperty(START, pieces, fc.boolean(), send), { numRuns: 500 });
    await until(() => front.inFlight === 0);
    const answer = await exchange(front.url, lines('GET / HTTP/1.1', 'Host: h'));
    t.strictSame(statusesOf(answer), [200]);
  });
});
