import { test } from 'tap';
import type { ByteStream } from '../../src/fabric/message.js';
import { replyWith, withFake } from './fake.js';
import { exchange, jsonOf, lines, statusesOf } from './http.js';

test('headers that would split a response are not sent, whoever let them through', async (t) => {
  const replies = [
    ['x-a', 'a\r\nX-Evil: 1'],
    ['x-a', 'a\nX-Evil: 1'],
    ['x-a\r\nX-Evil', '1'],
    ['x-a', 'a\0'],
    ['x-\u0100', 'a'],
    ['x-a', '\u0100'],
  ];
  let next = 0;
  let returned = 0;
  const stream: ByteStream = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true, value: undefined }),
      return: async () => {
        returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  const errors: object[] = [];
  const logger = { error: (entry: object) => errors.push(entry) };
  await withFake(
    () => {
      const headers = replies[next % replies.length] as string[];
      next += 1;
      return replyWith(next > replies.length ? stream : 'body', headers);
    },
    async ({ url }) => {
      for (const _ of [...replies, ...replies]) {
        const answer = await exchange(url, lines('GET / HTTP/1.1', 'Host: h'));
        t.strictSame(statusesOf(answer), [500]);
        t.match(jsonOf(answer), { code: 'INTERNAL' });
        t.notMatch(answer, 'X-Evil');
      }
      t.equal(errors.length, 2 * replies.length);
      t.equal(returned, replies.length);
    },
    { logger: logger as never },
  );
});

test('what a function may not say of the connection is left out', (t) =>
  withFake(
    () =>
      replyWith('body', [
        ...['connection', 'close', 'keep-alive', 'timeout=1', 'proxy-connection', 'x'],
        ...['te', 'x', 'trailer', 'x', 'transfer-encoding', 'gzip', 'upgrade', 'x'],
        ...['x-request-id', 'forged', 'content-length', '99', 'x-kept', '1'],
      ]),
    async ({ url }) => {
      const response = await fetch(url);
      t.equal(await response.text(), 'body');
      const { headers } = response;
      t.equal(headers.get('connection'), 'keep-alive');
      t.equal(headers.get('content-length'), '4');
      t.equal(headers.get('x-kept'), '1');
      t.not(headers.get('x-request-id'), 'forged');
      for (const name of ['te', 'trailer', 'transfer-encoding', 'upgrade', 'proxy-connection']) {
        t.equal(headers.get(name), null, name);
      }
    },
  ));

test('an exception that is none of Hatchery\u2019s is INTERNAL, and says nothing', (t) => {
  const errors: object[] = [];
  const logger = { error: (entry: object) => errors.push(entry) };
  return withFake(
    async () => {
      throw new Error('secret');
    },
    async ({ url }) => {
      const answer = await exchange(url, lines('GET / HTTP/1.1', 'Host: h'));
      t.match(jsonOf(answer), { code: 'INTERNAL', requestId: /./ });
      t.notMatch(answer, 'secret');
      t.match(errors[0], { err: { message: 'secret' } });
    },
    { logger: logger as never },
  );
});
