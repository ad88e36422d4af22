import { METHODS } from 'node:http';
import { test } from 'tap';
import { echo, withFake } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

test('TRACE, TRACK and CONNECT are not for functions, others are', (t) =>
  withFake(echo, async ({ url }) => {
    for (const [method, target] of [
      ['TRACE', '/'],
      ['TRACK', '/'],
      ['CONNECT', 'h:443'],
    ]) {
      const answer = await exchange(url, lines(`${method} ${target} HTTP/1.1`, 'Host: h'));
      t.match(answer, 'HTTP/1.1 405 Method Not Allowed');
      t.match(answer, /^Allow: .*GET, .*$/m);
      t.notMatch(answer, /^Allow: .*(TRACE|CONNECT)/m);
      t.match(jsonOf(answer), { code: 'METHOD_NOT_ALLOWED', details: { method }, requestId: /./ });
    }
    for (const method of METHODS) {
      if (!['TRACE', 'CONNECT', 'HEAD'].includes(method)) {
        const answer = await exchange(url, lines(`${method} / HTTP/1.1`, 'Host: h'));
        t.match(jsonOf(answer), { method });
      }
    }
  }));

test('a method that nobody knows is 501', (t) =>
  withFake(echo, async ({ url }) => {
    for (const method of ['NONSENSE', 'get', 'GETX', 'TRACKS', 'M-SEARCHES']) {
      const answer = await exchange(url, `${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
      t.match(answer, 'HTTP/1.1 501 Not Implemented', method);
      t.match(jsonOf(answer), { code: 'METHOD_UNKNOWN', requestId: /./ });
    }
  }));

test('what begins with no method at all is 400', (t) =>
  withFake(echo, async ({ url }) => {
    for (const bytes of [
      'G\u00e4T / HTTP/1.1\r\n\r\n',
      '\x16\x03\x01\x02\0\x01\0',
      'nonsense\r\n',
    ]) {
      const answer = await exchange(url, bytes);
      t.match(answer, 'HTTP/1.1 400 Bad Request');
      t.match(jsonOf(answer), { code: 'INVALID_ARGUMENT', requestId: /./ });
    }
  }));

test('a WebSocket is 501, other upgrades are ignored', (t) =>
  withFake(echo, async ({ url }) => {
    const answer = await exchange(
      url,
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    t.match(answer, 'HTTP/1.1 501 ');
    t.match(jsonOf(answer), { code: 'WEBSOCKET_UNSUPPORTED', requestId: /./ });
    const other = await exchange(
      url,
      'GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    );
    t.match(jsonOf(other), { url: 'http://h/a' });
    t.notMatch(other, 'h2c');
  }));

/** Where two servers may read different requests, none may be read: RFC 9112, section 11.2. */
const AMBIGUOUS: Record<string, string> = {
  'two Hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'the same Host twice': 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'an empty Host': 'GET / HTTP/1.1\r\nHost:\r\n\r\n',
  'a Host with a path': 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
  'a Host with a user': 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
  'a target with a user': 'GET http://a:b@c/ HTTP/1.1\r\nHost: c\r\n\r\n',
  'a bad Host beside an absolute target': 'GET http://c/ HTTP/1.1\r\nHost: a b\r\nHost: c\r\n\r\n',
  'https without TLS': 'GET https://c/ HTTP/1.1\r\nHost: c\r\n\r\n',
  'CL.TE':
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG',
  'TE.CL':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
  'two lengths': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'the same length twice':
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
  'a list of lengths': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na',
  'a length with a sign': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na',
  'a negative length': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\na',
  'a length in hexadecimal': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\na',
  'a length beyond 64 bits':
    'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\na',
  'no length at all': 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\na',
  'two transfer encodings':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'gzip, chunked':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'chunked, identity':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
  identity: 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n',
  xchunked: 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'an encoding with a vertical tab':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
  'chunks in HTTP/1.0': 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a space before the colon':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
  'a folded header': 'GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n',
  'a folded encoding':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n',
  'a line before the first header': 'GET / HTTP/1.1\r\n Host: h\r\n\r\n',
  'a bare carriage return': 'GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n',
  'a NUL': 'GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n',
  'a control character in a value': 'GET / HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n',
  'a DEL in a value': 'GET / HTTP/1.1\r\nHost: h\r\nX: a\x7fb\r\n\r\n',
  'a header without a name': 'GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n',
  'a header without a colon': 'GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n',
  'a name that is no token': 'GET / HTTP/1.1\r\nHost: h\r\nX(Y): a\r\n\r\n',
  'a chunk size with 0x':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n',
  'a chunk size beyond 64 bits':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\na\r\n0\r\n\r\n',
  'a chunk longer than it says':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
  'chunks with bare line feeds':
    'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n',
  'HTTP/0.9': 'GET /\r\n\r\n',
  'HTTP/2.0': 'GET / HTTP/2.0\r\nHost: h\r\n\r\n',
  'HTTP/1.2': 'GET / HTTP/1.2\r\nHost: h\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
};

test('what two servers could read in two ways is refused', async (t) => {
  let served = 0;
  const count: typeof echo = (request) => {
    served += 1;
    return echo(request);
  };
  await withFake(count, async ({ url }) => {
    for (const [name, bytes] of Object.entries(AMBIGUOUS)) {
      const client = await Client.open(url);
      client.send(bytes);
      await client.until(/\}/).catch(() => {});
      client.socket.end();
      await client.closed;
      const [status] = statusesOf(client.text);
      t.match(String(status), /^(400|501|undefined)$/, `${name}: ${client.text.slice(0, 200)}`);
      t.equal(statusesOf(client.text).length, status === undefined ? 0 : 1, name);
    }
    t.equal(served, 0);
  });
});

test('what comes after a refused request is not read', async (t) => {
  await withFake(echo, async ({ url }) => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
    for (const first of ['two lengths', 'CL.TE', 'a folded header', 'a NUL'] as const) {
      const answer = await exchange(url, AMBIGUOUS[first] + smuggled);
      t.strictSame(statusesOf(answer), [400], first);
      t.notMatch(answer, '/smuggled');
    }
  });
});

test('the body of a request is not the next request', (t) =>
  withFake(echo, async ({ url }) => {
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
    const answer = await exchange(
      url,
      `GET / HTTP/1.1\r\nHost: h\r\nContent-Length: ${inner.length}\r\n\r\n${inner}` +
        lines('GET /second HTTP/1.1', 'Host: h'),
    );
    t.strictSame(statusesOf(answer), [200, 200]);
    t.match(answer, '"url":"http://h/second"');
    t.notMatch(answer, '"url":"http://h/smuggled"');
  }));
