import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'tap';
import { Fabric, type Front, startFront } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { exchange, lines } from './http.js';

const SOURCE = `
  export default {
    async fetch(request) {
      const url = new URL(request.url);
      const status = Number(url.searchParams.get('status') ?? 200);
      switch (url.pathname) {
        case '/throw': throw new Error('secret');
        case '/loop': for (;;);
        case '/headers':
          return new Response('body', { status, headers: [
            ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['Connection', 'x-mine'],
            ['Keep-Alive', 'timeout=9'], ['Transfer-Encoding', 'gzip'], ['Upgrade', 'x'],
            ['Content-Length', '999'], ['X-Request-Id', 'forged'], ['X-Mine', 'ä'],
          ] });
        case '/status':
          return new Response([204, 205, 304].includes(status) ? null : 'body', { status });
        case '/length':
          return new Response(null, { headers: { 'content-length': '4711' } });
        case '/large':
          return new Response('x'.repeat(100_000));
        case '/binary':
          return new Response(new Uint8Array(256).map((_, i) => i));
      }
      return Response.json({
        method: request.method,
        url: request.url,
        headers: [...request.headers],
        body: await request.text(),
      });
    },
  };
`;

const LIMITS = { maxRequestBodyBytes: 1 << 20, wallMilliseconds: 300 };

async function withFront(use: (front: Front) => Promise<void>): Promise<void> {
  await using fabric = await Fabric.open();
  await fabric.deploy({ name: 'f', source: SOURCE, limits: LIMITS });
  const front = await startFront(fabric, { functionName: 'f' });
  try {
    await use(front);
  } finally {
    await front.close();
  }
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: [string, string][];
  readonly body: string;
}

test('the function gets the request as it came', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const withBody = method !== 'GET';
      const response = await fetch(`${url}/a%20b?c=d%ff`, {
        method,
        headers: { 'X-Twice': '1', 'content-type': 'application/x-unknown' },
        ...(withBody && { body: 'sent' }),
      });
      const echo = (await response.json()) as Echo;
      t.equal(echo.method, method);
      t.equal(echo.url, `${url}/a%20b?c=d%ff`);
      t.equal(echo.body, withBody ? 'sent' : '');
      const names = new Map(echo.headers);
      t.equal(names.get('x-twice'), '1');
      t.equal(names.get('content-type'), 'application/x-unknown');
      t.equal(names.get('connection'), undefined);
    }
  }),
);

test('odd targets go to the function, too', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    for (const [target, expected] of [
      ['/%zz', 'http://h:1/%zz'],
      [`/${'x'.repeat(5000)}`, `http://h:1/${'x'.repeat(5000)}`],
      ['//double', 'http://h:1//double'],
      ['/b;c?d&e', 'http://h:1/b;c?d&e'],
      ['http://other/x', 'http://other/x'],
      ['*', 'http://h:1/'],
      // As a URL parser has it: no function sees two spellings of one path.
      ['/a/../b', 'http://h:1/b'],
      ['/a/%2e%2E/b', 'http://h:1/b'],
      ['/a/./b?c=../d', 'http://h:1/a/b?c=../d'],
      ['/..\\b', 'http://h:1/b'],
      ['/{b}?"c"', 'http://h:1/%7Bb%7D?%22c%22'],
      ['/.well-known/x', 'http://h:1/.well-known/x'],
      ['http://OTHER:80/a/../x', 'http://other/x'],
    ] as const) {
      const answer = await exchange(url, lines(`OPTIONS ${target} HTTP/1.1`, 'Host: h:1'));
      t.match(answer, 'HTTP/1.1 200 OK');
      t.equal((JSON.parse(answer.slice(answer.indexOf('{'))) as Echo).url, expected);
    }
  }),
);

test('a head that is none is refused', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    for (const head of [
      ['GET / HTTP/1.1', 'Host: a b'],
      ['GET / HTTP/1.1', 'Host: user@h'],
      ['GET ftp://h/ HTTP/1.1', 'Host: h'],
    ]) {
      const answer = await exchange(url, lines(...head));
      t.match(answer, 'HTTP/1.1 400 Bad Request', head.join());
      t.match(answer, '"code":"INVALID_ARGUMENT"');
    }
  }),
);

test('what the parser refuses is JSON, too', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    for (const [bytes, status, code] of [
      ['nonsense\r\n\r\n', 400, 'INVALID_ARGUMENT'],
      ['GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n', 400, 'INVALID_ARGUMENT'],
      [
        `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
        431,
        'REQUEST_HEAD_TOO_LARGE',
      ],
    ] as const) {
      const answer = await exchange(url, bytes);
      t.match(answer, `HTTP/1.1 ${status} `);
      t.match(JSON.parse(answer.slice(answer.indexOf('{'))), { code, requestId: /./ });
    }
  }),
);

test('headers for one connection go no further', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const answer = await exchange(
      url,
      [
        'GET / HTTP/1.1',
        'Host: h',
        'Connection: close, X-Hop',
        'X-Hop: 1',
        'TE: trailers',
        'Keep-Alive: x',
        'Proxy-Authorization: secret',
        'Upgrade: h2c',
        'X-End: \xe4',
        '',
        '',
      ].join('\r\n'),
    );
    const bytes = answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1);
    const body = Buffer.from(bytes, 'latin1').toString();
    t.strictSame((JSON.parse(body) as Echo).headers, [
      ['host', 'h'],
      ['x-end', 'ä'],
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-host', 'h'],
      ['x-forwarded-proto', 'http'],
    ]);

    const response = await fetch(`${url}/headers`);
    t.equal(await response.text(), 'body');
    const { headers } = response;
    t.strictSame(headers.getSetCookie(), ['a=1', 'b=2']);
    t.equal(headers.get('content-length'), '4');
    t.equal(headers.get('connection'), 'keep-alive');
    t.equal(headers.get('upgrade'), null);
    t.equal(headers.get('transfer-encoding'), null);
    t.equal(headers.get('keep-alive'), 'timeout=72');
    t.not(headers.get('x-request-id'), 'forged');
  }),
);

test('HEAD, 204 and 304 have no body', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const answer = async (start: string) => {
      const text = await exchange(url, lines(start, 'Host: h'));
      const [head = '', body] = text.split('\r\n\r\n');
      return { head: head.toLowerCase(), body };
    };
    const head = await answer('HEAD /large HTTP/1.1');
    t.match(head, { head: 'content-length: 100000', body: '' });
    t.match(await answer('HEAD /length HTTP/1.1'), { head: 'content-length: 4711', body: '' });
    for (const status of [204, 304]) {
      const none = await answer(`GET /status?status=${status} HTTP/1.1`);
      t.match(none, { head: `http/1.1 ${status}`, body: '' });
      t.notMatch(none.head, 'transfer-encoding');
      t.notMatch(none.head, 'content-length');
    }
    t.match(await answer('GET /status?status=599 HTTP/1.1'), {
      head: 'http/1.1 599',
      body: 'body',
    });
  }),
);

test('bytes go through as they are', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const binary = new Uint8Array(await (await fetch(`${url}/binary`)).arrayBuffer());
    t.strictSame(
      binary,
      new Uint8Array(256).map((_, i) => i),
    );
    t.equal((await (await fetch(`${url}/large`)).text()).length, 100_000);
    const body = 'ü'.repeat(400_000);
    const response = await fetch(url, { method: 'POST', body });
    t.equal(((await response.json()) as Echo).body, body);
  }),
);

test('errors are JSON with a code, and say no more than they may', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const response = await fetch(`${url}/throw`);
    const requestId = response.headers.get('x-request-id');
    t.equal(response.status, 500);
    t.match(response.headers.get('content-type'), 'application/json');
    const report = (await response.json()) as object;
    t.match(report, { code: 'FUNCTION_THREW', message: /\w+/, requestId });
    t.notMatch(JSON.stringify(report), 'secret');

    const late = await fetch(`${url}/loop`);
    t.equal(late.status, 504);
    t.match(await late.json(), { code: 'DEADLINE_EXCEEDED', details: { limit: 300 } });
  }),
);

test('a body that is too large is refused before it is read', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const announced = await exchange(
      url,
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999\r\n\r\n',
    );
    t.match(announced, 'HTTP/1.1 413 ');
    t.match(announced, '"code":"REQUEST_BODY_TOO_LARGE"');
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const streamed = await exchange(
      url,
      `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`,
    );
    t.match(streamed, 'HTTP/1.1 413 ');
    t.equal((await fetch(url)).status, 200);
  }),
);

test('the timeline is in the head, and what comes later in a trailer', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const entry = (name: string) => `${name};dur=\\d+\\.\\d{3}`;
    const desc = (figures: string) => `;desc="cpu=\\d+us in=0B out=\\d+B host-calls=0${figures}"`;
    const known = ['accept', 'queue', 'spawn', `guest`].map(entry).join(', ') + desc('');
    const plain = await fetch(url);
    t.match(plain.headers.get('server-timing'), new RegExp(`^${known}$`));
    t.equal(plain.headers.get('trailer'), null);

    const answer = await exchange(
      url,
      'GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: close\r\n\r\n',
    );
    t.match(answer, /^Trailer: Server-Timing\r$/m);
    t.match(answer, /^Transfer-Encoding: chunked\r$/m);
    const guest = entry('guest') + desc(' dirty=\\d+B peak=\\d+B');
    const late = [guest, entry('reply'), entry('end')].join(', ');
    t.match(answer, new RegExp(`\\r\\n0\\r\\nServer-Timing: ${late}\\r\\n\\r\\n$`));

    const old = await exchange(url, 'GET /large HTTP/1.0\r\nTE: trailers\r\n\r\n');
    t.match(old, /^HTTP\/1\.1 200 OK\r$/m, 'HTTP/1.0 has no trailers');
    t.match(old, /^Content-Length: 100000\r$/m);
  }),
);

test('a client that goes away disturbs nobody', { skip: noDriver }, (t) =>
  withFront(async ({ url }) => {
    const { hostname, port } = new URL(url);
    for (const bytes of [
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf',
      'GET /loop HTTP/1.1\r\nHost: h\r\n\r\n',
      'GET /large HTTP/1.1\r\nHost: h\r\n\r\n',
    ]) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(bytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.destroy();
    }
    t.equal((await fetch(url)).status, 200);
  }),
);

test('a port that is taken is PORT_IN_USE', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  await fabric.deploy({ name: 'f', source: SOURCE });
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  await t.rejects(startFront(fabric, { functionName: 'f', port }), {
    code: 'PORT_IN_USE',
    message: `Port ${port} of 127.0.0.1 is in use. Choose another one.`,
  });
  taken.close();
  await t.rejects(startFront(fabric, { functionName: 'other' }), { code: 'FUNCTION_MISSING' });
});
