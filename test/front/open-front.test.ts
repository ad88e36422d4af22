import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'tap';
import { DEFAULT_LIMITS } from '../../src/fabric/limits.js';
import { openFront } from '../../src/front/front.js';
import { echo } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

test('connections that somebody else accepted', async (t) => {
  const functions = { function: () => ({ limits: DEFAULT_LIMITS, handle: echo }) };
  const front = await openFront(functions, { functionName: 'f', clientMilliseconds: 200 });
  const noDelay: boolean[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const { setNoDelay } = socket;
    socket.setNoDelay = (on = true) => {
      noDelay.push(on);
      return setNoDelay.call(socket, on);
    };
    front.accept(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

  const answer = await exchange(url, lines('GET /a HTTP/1.1', 'Host: h'));
  t.match(jsonOf(answer), { url: 'http://h/a', headers: [[], ['x-forwarded-for', '127.0.0.1']] });
  t.strictSame(noDelay, [true], 'chunks are not held back');
  const slow = await exchange(url, 'GET / HTTP/1.1\r\n');
  t.strictSame(statusesOf(slow), [408], 'slow clients are watched');

  const idle = await Client.open(url);
  t.equal(await front.drain(1_000), true);
  await idle.closed;
  server.close();
  await once(server, 'close');
});
