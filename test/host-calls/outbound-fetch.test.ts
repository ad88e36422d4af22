/** Fetches from real servers: what goes out, what comes back, what goes wrong, whose connections. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import t from 'tap';
import {
  bytesOf,
  context,
  fetchPayload,
  get,
  httpServer,
  LIMITS,
  outboundFetch,
  pause,
  readAnswer,
  tcpServer,
  textOf,
  until,
} from './fetching.js';

t.test('a request goes out as it was asked for, and its response comes back', async (t) => {
  let seen: IncomingMessage | undefined;
  const port = await httpServer(t, async (request, response) => {
    seen = request;
    const body = await bytesOf(request);
    response.writeHead(201, 'Made It', [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Name', 'caf\u00e9'],
      ['Connection', 'keep-alive, x-hop'],
      ['X-Hop', 'mine'],
      ['Keep-Alive', 'timeout=5'],
      ['Proxy-Authenticate', 'Basic'],
    ] as never);
    response.end(Buffer.concat([Buffer.from('got '), body]));
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const body = Buffer.from([0, 255, 10, 13]);
  const answer = await get(fetch, `http://127.0.0.1:${port}/a/../b?c=%20#d`, {
    method: 'PUT',
    headers: ['X-A', '1', 'x-a', '2', 'User-Agent', 'mine', 'content-type', 'x/y'],
    body,
  });
  t.equal(seen?.method, 'PUT');
  t.equal(seen?.url, '/b?c=%20');
  t.strictSame(seen?.rawHeaders, [
    'host',
    `127.0.0.1:${port}`,
    'connection',
    'keep-alive',
    'x-a',
    '1',
    'x-a',
    '2',
    'user-agent',
    'mine',
    'content-type',
    'x/y',
    'accept',
    '*/*',
    'accept-encoding',
    'gzip, deflate, br',
    'content-length',
    '4',
  ]);
  t.equal(answer.status, 201);
  t.equal(answer.reason, 'Made It');
  t.equal(answer.url, `http://127.0.0.1:${port}/b?c=%20`, 'the fragment is not in it');
  t.strictSame(answer.lines.slice(0, 6), [
    'set-cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'x-name',
    'caf\u00e9',
  ]);
  for (const hop of [
    'connection',
    'x-hop',
    'keep-alive',
    'proxy-authenticate',
    'transfer-encoding',
  ]) {
    t.notOk(hop in answer.headers, hop);
  }
  t.ok((await bytesOf(answer.body)).equals(Buffer.concat([Buffer.from('got '), body])));
});

t.test(
  'traceparent and tracestate are those of the request, unless the guest sets one',
  async (t) => {
    const port = await httpServer(t, (request, response) => {
      const { traceparent, tracestate } = request.headers;
      response.end(`${traceparent} ${tracestate}`);
    });
    const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
    const traced = async (headers: string[]) => {
      const payload = fetchPayload(`http://127.0.0.1:${port}/`, { headers });
      const { payload: head, body } = await fetch.call(payload, {
        ...context(),
        traceparent: '00-a',
        tracestate: 'a=1',
      });
      return textOf(readAnswer(head, body));
    };
    t.equal(await traced([]), '00-a a=1');
    t.equal(await traced(['TraceParent', '00-b']), '00-b undefined');
    t.equal(await traced(['TraceParent', '00-b', 'TraceState', 'b=2']), '00-b b=2');
    t.equal(await traced(['TraceState', 'b=2']), '00-a b=2');
  },
);

t.test('a part is asked for as it is', async (t) => {
  const port = await httpServer(t, (request, response) => {
    response.end(String(request.headers['accept-encoding']));
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const url = `http://127.0.0.1:${port}/`;
  t.equal(await textOf(await get(fetch, url, { headers: ['Range', 'bytes=0-1'] })), 'identity');
  t.equal(await textOf(await get(fetch, url, { headers: ['Accept-Encoding', 'br'] })), 'br');
});

t.test('responses without a body', async (t) => {
  const port = await httpServer(t, (request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.setHeader('content-encoding', 'gzip');
    response.end();
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const status of [204, 205, 304]) {
    const answer = await get(fetch, `http://127.0.0.1:${port}/${status}`);
    t.equal(answer.status, status);
    t.equal(answer.body, undefined);
  }
  const head = await get(fetch, `http://127.0.0.1:${port}/200`, { method: 'head' });
  t.equal(head.body, undefined);
  t.equal(head.headers['content-encoding'], 'gzip');
});

t.test('connections are kept, and shared within a function only', async (t) => {
  const sockets = new Set<Socket>();
  const port = await httpServer(t, (request, response) => {
    sockets.add(request.socket);
    response.end('x');
  });
  const allow = [`127.0.0.1:${port}`];
  const [a, b] = [outboundFetch(t, { allow }), outboundFetch(t, { allow })];
  for (let i = 0; i < 5; i += 1) {
    await textOf(await get(a, `http://127.0.0.1:${port}/`));
    await pause();
  }
  t.equal(sockets.size, 1, 'five fetches, one connection');
  await textOf(await get(b, `http://127.0.0.1:${port}/`));
  t.equal(sockets.size, 2, 'another function has its own');
  await a.close();
  await until(() => [...sockets].filter((socket) => socket.destroyed).length === 1);
  await textOf(await get(b, `http://127.0.0.1:${port}/`));
  t.equal(sockets.size, 2);
  await t.rejects(get(a, `http://127.0.0.1:${port}/`), { code: 'FETCH_FAILED' });
});

t.test('a kept connection that the server closed', async (t) => {
  // Closes each connection when a second request comes on it, unanswered.
  let requests = 0;
  const port = await tcpServer(t, (socket) => {
    let first = true;
    socket.on('data', () => {
      requests += 1;
      if (!first) {
        socket.destroy();
        return;
      }
      first = false;
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx');
    });
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const url = `http://127.0.0.1:${port}/`;
  t.equal(await textOf(await get(fetch, url)), 'x');
  await pause();
  t.equal(await textOf(await get(fetch, url)), 'x', 'what may be repeated is sent again');
  t.equal(requests, 3);
  await pause();
  await t.rejects(get(fetch, url, { method: 'POST', body: 'pay' }), {
    code: 'FETCH_FAILED',
    details: { target: `127.0.0.1:${port}` },
  });
  t.equal(requests, 4, 'what may not be repeated is sent once');
});

t.test('what goes wrong has a reason, and nothing of the host in it', async (t) => {
  const say = (text: string) =>
    tcpServer(t, (socket) => socket.once('data', () => socket.end(text)));
  const cases: [port: number, reason: RegExp][] = [
    [await say(''), /the connection was closed/],
    [await say('SSH-2.0-OpenSSH\r\n'), /does not speak HTTP/],
    [await say('HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n'), /does not speak HTTP/],
    [
      await say('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      /closed/,
    ],
    [await say('HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n'), /status 999/],
    [
      await say('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n'),
      /HTTP|ended too early/,
    ],
    [
      await say(`HTTP/1.1 200 OK\r\na: ${'x'.repeat(70_000)}\r\n\r\n`),
      /head of its response is too large/,
    ],
  ];
  for (const [port, reason] of cases) {
    const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
    await t.rejects(
      get(fetch, `http://127.0.0.1:${port}/`),
      { code: 'FETCH_FAILED', details: { target: `127.0.0.1:${port}`, reason } },
      String(reason),
    );
  }
  const closed = await httpServer(t, () => {});
  const fetch = outboundFetch(t, {
    allow: ['127.0.0.1:1', `name.test:${closed}`],
    lookup: async () => [],
  });
  await t.rejects(get(fetch, 'http://127.0.0.1:1/'), {
    code: 'FETCH_FAILED',
    details: { reason: /refused/ },
  });
  await t.rejects(get(fetch, `http://name.test:${closed}/`), {
    code: 'FETCH_FAILED',
    details: { reason: /not known/ },
  });
});

t.test('a head of 60 KiB is read, and too large a one for a host call is not', async (t) => {
  const port = await httpServer(t, (_, response) => {
    response.setHeader('x-long', 'x'.repeat(60_000));
    response.end('x');
  });
  const allow = [`127.0.0.1:${port}`];
  const answer = await get(outboundFetch(t, { allow }), `http://127.0.0.1:${port}/`);
  t.equal(answer.headers['x-long']?.length, 60_000);
  await bytesOf(answer.body);
  const narrow = outboundFetch(t, { allow, limits: { ...LIMITS, maxHostCallBytes: 1000 } });
  await t.rejects(get(narrow, `http://127.0.0.1:${port}/`), { code: 'HOST_CALL_TOO_LARGE' });
});

t.test('a server that never answers, or never goes on', async (t) => {
  const port = await tcpServer(t, (socket) => {
    socket.once('data', (data) => {
      if (data.includes('/half')) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab');
      }
    });
  });
  const limits = { ...LIMITS, hostCallMilliseconds: 200 };
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`], limits });
  await t.rejects(get(fetch, `http://127.0.0.1:${port}/`), {
    code: 'FETCH_FAILED',
    details: { reason: /in time/ },
  });
  const { body } = await get(fetch, `http://127.0.0.1:${port}/half`);
  await t.rejects(bytesOf(body), { code: 'FETCH_FAILED', details: { reason: /stopped/ } });
});

t.test('an aborted call rejects at once and closes its connection', async (t) => {
  let sockets: Socket[] = [];
  const port = await tcpServer(t, (socket) => {
    sockets.push(socket);
    socket.resume();
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const abort = new AbortController();
  const reason = new Error('enough');
  const pending = get(fetch, `http://127.0.0.1:${port}/`, {}, abort.signal);
  await until(() => sockets.length === 1);
  abort.abort(reason);
  await t.rejects(pending, reason);
  await until(() => sockets[0]?.destroyed ?? false);
  t.pass('its connection is closed');

  sockets = [];
  await t.rejects(get(fetch, `http://127.0.0.1:${port}/`, {}, AbortSignal.abort(reason)), reason);
  t.equal(sockets.length, 0, 'one that is aborted already does not even begin');
});

/** It ends some time, as the machine's does: it holds one of two places of the process. */
const slowLookup = async () => {
  await pause(500);
  return [];
};

t.test('an abort while the name is looked up, or while the line is full', async (t) => {
  const slow = outboundFetch(t, { allow: ['name.test'], lookup: slowLookup });
  const abort = new AbortController();
  const pending = get(slow, 'http://name.test/', {}, abort.signal);
  setTimeout(() => abort.abort(new Error('enough')), 20);
  await t.rejects(pending, { message: 'enough' });

  const port = await tcpServer(t, (socket) => socket.resume());
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const many = Array.from({ length: 200 }, () => new AbortController());
  const all = many.map(({ signal }) =>
    get(fetch, `http://127.0.0.1:${port}/`, {}, signal).catch((error) => error.message),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  const start = performance.now();
  for (const one of many) {
    one.abort(new Error('all of you'));
  }
  t.ok((await Promise.all(all)).every((message) => message === 'all of you'));
  const took = performance.now() - start;
  t.ok(
    took < 1000,
    `those in line, who get a place as it is too late, are told as well: ${took} ms`,
  );
});

t.test('a function that is closed leaves no connection behind that is being made', async (t) => {
  const sockets = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  await until(() => sockets() === 0);
  const fetch = outboundFetch(t, { allow: ['name.test'], lookup: slowLookup });
  const pending = get(fetch, 'http://name.test/');
  pending.catch(() => {});
  await until(() => sockets() === 1);
  await fetch.close();
  await t.rejects(pending, { code: 'FETCH_FAILED', details: { reason: /closed/ } });
  await until(() => sockets() === 0);
});

t.test('no more than 128 fetches of a function are under way', async (t) => {
  let underWay = 0;
  let most = 0;
  const port = await httpServer(t, (_, response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    setTimeout(() => {
      underWay -= 1;
      response.end('x');
    }, 50);
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const all = await Promise.all(
    Array.from({ length: 400 }, async () => textOf(await get(fetch, `http://127.0.0.1:${port}/`))),
  );
  t.ok(all.every((text) => text === 'x'));
  t.ok(most <= 128, `${most} at a time`);
  t.ok(most > 64, `${most} at a time`);
});

t.test('connections to many origins are not kept for ever', async (t) => {
  const open = new Set<Socket>();
  const port = await httpServer(t, (request, response) => {
    const { socket } = request;
    if (!open.has(socket)) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    response.end('x');
  });
  const allow = [`*.test:${port}`, `127.0.0.1:${port}`];
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }];
  const fetch = outboundFetch(t, { allow, lookup });
  for (let i = 0; i < 100; i += 1) {
    t.equal(await textOf(await get(fetch, `http://n${i}.test:${port}/`)), 'x');
  }
  await pause(50);
  t.ok(open.size <= 65, `${open.size} connections are open`);
  t.ok(open.size >= 60, `${open.size} connections are open`);
  const before = open.size;
  await textOf(await get(fetch, `http://n99.test:${port}/`));
  await textOf(await get(fetch, `http://n0.test:${port}/`));
  await pause(50);
  t.ok(open.size <= before + 1, 'the one used last was kept');

  // Many at a time to a few origins: what is idle then is closed before it is too much.
  for (const origin of ['a', 'b', 'c', 'd']) {
    await Promise.all(
      Array.from({ length: 100 }, async () =>
        textOf(await get(fetch, `http://${origin}.test:${port}/`)),
      ),
    );
  }
  await pause(50);
  t.ok(open.size <= 256, `${open.size} connections are open`);
});

t.test('proxies of the environment are not asked', async (t) => {
  const port = await httpServer(t, (_, response) => response.end('direct'));
  for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'all_proxy', 'ALL_PROXY']) {
    process.env[name] = 'http://127.0.0.1:9';
  }
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  t.equal(await textOf(await get(fetch, `http://127.0.0.1:${port}/`)), 'direct');
});
