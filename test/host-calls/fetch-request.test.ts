/** What a guest asks for, as a hostile one writes it. */
import fc from 'fast-check';
import t from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { decodeFetch } from '../../src/fabric/host-calls/fetch-request.js';
import { ERROR, fetchPayload, MANUAL } from './fetching.js';

const refused = (payload: Uint8Array): string => {
  try {
    decodeFetch(payload);
  } catch (error) {
    if (error instanceof HatcheryError && error.code === 'FETCH_FAILED') {
      return String(error.details.reason);
    }
    throw error;
  }
  return 'taken';
};

t.test('a request is read as it was written', async (t) => {
  const request = decodeFetch(
    fetchPayload('HTTPS://Example.com/a?b#c', {
      method: 'post',
      headers: ['X-A', 'caf\u00e9', 'x-a', '', 'Cookie', 'a=b'],
      body: 'hello',
      redirect: MANUAL,
    }),
  );
  t.equal(request.method, 'POST');
  t.equal(request.url.href, 'https://example.com/a?b#c');
  t.strictSame(request.headers, ['x-a', 'caf\u00e9', 'x-a', '', 'cookie', 'a=b']);
  t.equal(Buffer.from(request.body ?? []).toString(), 'hello');
  t.equal(request.redirect, 'manual');
  t.equal(decodeFetch(fetchPayload('http://a', { redirect: ERROR })).redirect, 'error');
  t.equal(decodeFetch(fetchPayload('http://a', { method: 'patch' })).method, 'patch');
});

t.test('methods', async (t) => {
  for (const method of [
    '',
    'GET ',
    'G T',
    'GET\r\nX: y',
    'CONNECT',
    'connect',
    'Trace',
    'TRACK',
    'G\u00e9T',
  ]) {
    t.match(refused(fetchPayload('http://a', { method })), /not a method/, JSON.stringify(method));
  }
  for (const method of ['GET', 'HEAD', 'head']) {
    t.match(refused(fetchPayload('http://a', { method, body: 'x' })), 'no body');
  }
});

t.test('URLs', async (t) => {
  for (const url of [
    '',
    '/',
    'example.com',
    'http://',
    'http://a b',
    'http://a:99999',
    'http://[::1%lo]',
  ]) {
    t.equal(refused(fetchPayload(url)), 'it is invalid', JSON.stringify(url));
  }
  for (const url of [
    'file:///etc/passwd',
    'data:,x',
    'ftp://a',
    'ws://a',
    'unix:/run/x',
    'http+unix://a',
  ]) {
    t.match(refused(fetchPayload(url)), 'only http:', url);
  }
  for (const url of ['http://user@a', 'http://user:pw@a', 'https://:pw@a']) {
    t.match(refused(fetchPayload(url)), 'credentials', url);
  }
});

t.test('headers', async (t) => {
  for (const name of [
    'Host',
    'host',
    'CONNECTION',
    'Content-Length',
    'Transfer-Encoding',
    'Upgrade',
    'TE',
    'Trailer',
    'Expect',
    'Keep-Alive',
    'Proxy-Authorization',
    'Proxy-Connection',
    'proxy-x',
    'HTTP2-Settings',
  ]) {
    t.match(refused(fetchPayload('http://a', { headers: [name, 'x'] })), /function's to set/, name);
  }
  for (const name of ['', ' ', 'Host ', 'a:b', 'a b', 'a\r\nHost', 'caf\u00e9', 'Host:']) {
    t.match(refused(fetchPayload('http://a', { headers: [name, 'x'] })), 'not a header name', name);
  }
  for (const value of ['a\r\nHost: b', 'a\n', '\r', 'a\x01b', ' a', 'a\t', '\x7f']) {
    t.match(refused(fetchPayload('http://a', { headers: ['x', value] })), 'is invalid');
  }
  t.equal(refused(fetchPayload('http://a', { headers: ['x', 'a b\tc', 'y', ''] })), 'taken');
});

t.test('frames', async (t) => {
  const good = fetchPayload('http://a', { method: 'POST', body: 'xyz' });
  t.equal(refused(good), 'taken');
  for (let length = 0; length < good.length; length += 1) {
    t.not(refused(good.subarray(0, length)), 'taken', `${length} bytes of it`);
  }
  t.not(refused(Buffer.concat([good, Buffer.alloc(1)])), 'taken');
  for (const [offset, value] of [
    [0, 0xffffffff],
    [4, 0xffffffff],
    [0, 0],
    [8, 3],
    [8, 0xffffffff],
    [12, 1],
  ] as const) {
    const bad = Buffer.from(good);
    bad.writeUInt32LE(value, offset);
    t.not(refused(bad), 'taken', `${value} at ${offset}`);
  }
  const head = (text: string) => {
    const header = Buffer.alloc(16);
    header.writeUInt32LE(text.length, 0);
    return Buffer.concat([header, Buffer.from(text, 'latin1')]);
  };
  for (const text of [
    '',
    'GET',
    'GET\0',
    'GET\0http://a',
    'GET\0http://a\0x\0',
    'GET\0http://a\0x\0y',
  ]) {
    t.not(refused(head(text)), 'taken', JSON.stringify(text));
  }
});

t.test('whatever comes, it is a request or refused', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      refused(bytes);
    }),
  );
  const good = fetchPayload('http://example.com/', {
    headers: ['a', 'b'],
    method: 'PUT',
    body: 'x',
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) {
          bytes[at] = value;
        }
        refused(bytes);
      },
    ),
    { numRuns: 5000 },
  );
  t.pass('nothing else was thrown');
});
