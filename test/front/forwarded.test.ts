import fc from 'fast-check';
import { test } from 'tap';
import { parseTraceparent } from '../../src/front/trace-context.js';
import { plainAddress, TrustedPeers } from '../../src/front/trusted-peers.js';
import { type Echo, echo, withFake } from './fake.js';
import { exchange, jsonOf, lines, statusesOf } from './http.js';

/** What a function is told of a request with these headers. */
async function told(url: string, ...headers: string[]): Promise<Echo> {
  return jsonOf(await exchange(url, lines('GET /a HTTP/1.1', 'Host: h:1', ...headers))) as Echo;
}

const TALE = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil',
  'X-Forwarded-Port: 443',
  'X-FORWARDED-PREFIX: /admin',
  'Forwarded: for=6.6.6.6',
  'X-Real-IP: 6.6.6.6',
];

const TRUTH: [string, string][] = [
  ['host', 'h:1'],
  ['x-forwarded-for', '127.0.0.1'],
  ['x-forwarded-proto', 'http'],
  ['x-forwarded-host', 'h:1'],
];

test('a client cannot say where it comes from', (t) =>
  withFake(echo, async ({ url }) => {
    for (const headers of [[], TALE, [...TALE, ...TALE]]) {
      t.match(await told(url, ...headers), { url: 'http://h:1/a', headers: TRUTH });
      t.equal((await told(url, ...headers)).headers.length, TRUTH.length);
    }
    // Nor have the truth taken away, nor the host.
    const answer = await exchange(
      url,
      'GET / HTTP/1.1\r\nHost: h:1\r\nConnection: close, Host, X-Forwarded-For, X-Secret\r\nX-Secret: 1\r\n\r\n',
    );
    t.strictSame((jsonOf(answer) as Echo).headers, TRUTH);
  }));

test('a trusted proxy can, and is named with it', (t) =>
  withFake(
    echo,
    async ({ url }) => {
      const { headers, url: seen } = await told(url, ...TALE, 'X-Forwarded-For: 7.7.7.7');
      t.equal(seen, 'https://evil/a');
      const names = new Map(headers);
      t.equal(names.get('x-forwarded-for'), '6.6.6.6, 7.7.7.7, 127.0.0.1');
      t.equal(names.get('x-forwarded-proto'), 'https');
      t.equal(names.get('x-forwarded-host'), 'evil');
      t.equal(names.get('x-forwarded-port'), '443');
      t.equal(names.get('forwarded'), 'for=6.6.6.6');
      t.equal(names.get('x-real-ip'), '6.6.6.6');
      t.equal(names.get('host'), 'h:1');
      t.match(await told(url), { url: 'http://h:1/a', headers: TRUTH });
      // Of lists, what the proxy itself added counts.
      t.match(await told(url, 'X-Forwarded-Proto: http, https', 'X-Forwarded-Host: a, b:2'), {
        url: 'https://b:2/a',
      });
    },
    { trustProxy: ['10.0.0.0/8', '127.0.0.0/8'] },
  ));

test('nobody says what this server says by headers of its own', async (t) => {
  const forged = ['X-Hatchery-View: {}', 'x-hatchery-: 1', 'X-HATCHERY-Anything: 2'];
  for (const trustProxy of [[], ['127.0.0.0/8']]) {
    await withFake(
      echo,
      async ({ url }) => {
        const { headers } = await told(url, ...forged, 'X-Hatcher: mine');
        t.match(headers, [...TRUTH.slice(0, 1), ['x-hatcher', 'mine'], ...TRUTH.slice(1)]);
        t.equal(headers.length, TRUTH.length + 1);
      },
      { trustProxy },
    );
  }
});

test('a trusted proxy is checked, too', (t) =>
  withFake(
    echo,
    async ({ url }) => {
      for (const header of [
        'X-Forwarded-Proto: ftp',
        'X-Forwarded-Proto: javascript',
        'X-Forwarded-Host: a b',
        'X-Forwarded-Host: a/b',
        'X-Forwarded-Host: user@a',
      ]) {
        const answer = await exchange(url, lines('GET / HTTP/1.1', 'Host: h', header));
        t.strictSame(statusesOf(answer), [400], header);
        t.match(jsonOf(answer), { code: 'INVALID_ARGUMENT' });
      }
    },
    { trustProxy: ['127.0.0.1'] },
  ));

test('addresses and blocks of them', (t) => {
  const peers = new TrustedPeers(['10.1.2.3', '192.168.0.0/16', '::ffff:172.16.0.9', 'fd00::/8']);
  for (const [address, expected] of [
    ['10.1.2.3', true],
    ['10.1.2.4', false],
    ['192.168.255.1', true],
    ['192.169.0.1', false],
    ['172.16.0.9', true],
    ['fd12::1', true],
    ['fd12::1%eth0', true],
    ['fe80::1', false],
    ['unknown', false],
    ['', false],
  ] as const) {
    t.equal(peers.has(address), expected, address);
  }
  t.equal(plainAddress('::ffff:1.2.3.4'), '1.2.3.4');
  t.equal(plainAddress('::1'), '::1');
  t.notOk(new TrustedPeers([]).has('127.0.0.1'));
  for (const range of [
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '::/129',
    '::ffff:10.0.0.0/8',
  ]) {
    t.throws(() => new TrustedPeers([range]), { code: 'INVALID_ARGUMENT' }, range);
  }
  t.end();
});

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a trace goes on where it is one', (t) =>
  withFake(echo, async ({ url }) => {
    const good = await told(url, `traceparent: ${TRACE}`, 'tracestate: a=1');
    t.strictSame(good.headers.slice(1, 3), [
      ['traceparent', TRACE],
      ['tracestate', 'a=1'],
    ]);
    for (const headers of [
      ['traceparent: nonsense', 'tracestate: a=1'],
      [`traceparent: ${TRACE}`, `traceparent: ${TRACE}`, 'tracestate: a=1'],
    ]) {
      t.strictSame((await told(url, ...headers)).headers, TRUTH);
    }
  }));

test('what is a traceparent', (t) => {
  for (const [value, expected] of [
    [TRACE, true],
    [TRACE.toUpperCase(), false],
    [`${TRACE}-more`, false],
    [TRACE.replace(/^00/, '01'), true],
    [`${TRACE.replace(/^00/, '01')}-more`, true],
    [`${TRACE.replace(/^00/, '01')}.more`, false],
    [TRACE.replace(/^00/, 'ff'), false],
    ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', false],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', false],
    [TRACE.slice(0, -1), false],
    ['', false],
  ] as const) {
    t.equal(parseTraceparent(value) !== undefined, expected, value);
  }
  const hex = (length: number) =>
    fc.string({
      unit: fc.constantFrom(...'0123456789abcdef'),
      minLength: length,
      maxLength: length,
    });
  fc.assert(
    fc.property(hex(32), hex(16), hex(2), (trace, parent, flags) => {
      const isNull = /^0+$/.test(trace) || /^0+$/.test(parent);
      const found = parseTraceparent(`00-${trace}-${parent}-${flags}`);
      return isNull
        ? found === undefined
        : found?.traceId === trace &&
            found.spanId === parent &&
            found.isSampled === (Number.parseInt(flags, 16) % 2 === 1);
    }),
  );
  t.end();
});

test('a target in absolute form counts more than the Host', (t) =>
  withFake(echo, async ({ url }) => {
    const answer = await exchange(url, lines('GET http://other:2/a/../b HTTP/1.1', 'Host: h'));
    const { url: seen, headers } = jsonOf(answer) as Echo;
    t.equal(seen, 'http://other:2/b');
    const names = new Map(headers);
    t.equal(names.get('host'), 'other:2');
    t.equal(names.get('x-forwarded-host'), 'other:2');
  }));
