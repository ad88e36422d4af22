/** Bodies of responses: as they come, decoded, no faster than they are read, ended early. */
import type { ServerResponse } from 'node:http';
import {
  brotliCompressSync,
  constants,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import t from 'tap';
import type { ByteStream } from '../../src/fabric/message.js';
import {
  type Answer,
  bytesOf,
  context,
  fetchPayload,
  get,
  httpServer,
  outboundFetch,
  pause,
  tcpServer,
  textOf,
  until,
} from './fetching.js';

const failed = { code: 'FETCH_FAILED' };
const iterate = ({ body }: Answer) => (body as ByteStream)[Symbol.asyncIterator]();

t.test('content codings are undone', async (t) => {
  const plain = Buffer.from('hello '.repeat(50_000));
  const bodies: Record<string, [coding: string, body: Buffer]> = {
    gzip: ['gzip', gzipSync(plain)],
    'x-gzip': ['X-GZip', gzipSync(plain)],
    br: ['br', brotliCompressSync(plain)],
    deflate: ['deflate', deflateSync(plain)],
    raw: ['deflate', deflateRawSync(plain)],
    both: ['deflate , gzip', gzipSync(deflateSync(plain))],
    empty: ['', plain],
  };
  const port = await httpServer(t, (request, response) => {
    const [coding, body] = bodies[request.url?.slice(1) ?? ''] as [string, Buffer];
    response.setHeader('content-encoding', coding);
    response.setHeader('content-length', body.length);
    response.setHeader('etag', 'kept');
    response.end(body);
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const name of Object.keys(bodies)) {
    const answer = await get(fetch, `http://127.0.0.1:${port}/${name}`);
    t.ok((await bytesOf(answer.body)).equals(plain), name);
    t.equal(answer.headers.etag, 'kept');
    if (name !== 'empty') {
      t.notOk('content-encoding' in answer.headers, name);
      t.notOk('content-length' in answer.headers, name);
    }
  }
});

t.test('codings that are not undone', async (t) => {
  const port = await httpServer(t, (request, response) => {
    response.setHeader('content-encoding', decodeURIComponent(request.url?.slice(1) ?? ''));
    response.end('as it is');
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const coding of ['zstd', 'gzip, zstd', 'gzip, gzip, gzip', 'constructor', '__proto__']) {
    const answer = await get(fetch, `http://127.0.0.1:${port}/${encodeURIComponent(coding)}`);
    t.equal(answer.headers['content-encoding'], coding);
    t.equal(await textOf(answer), 'as it is', coding);
  }
});

t.test('broken codings', async (t) => {
  const plain = Buffer.from('hello '.repeat(1000));
  const bodies: Record<string, [coding: string, body: Buffer]> = {
    none: ['gzip', Buffer.from('this is not gzip at all')],
    br: ['br', Buffer.from('nor is this brotli, whatever it says')],
    deflate: ['deflate', Buffer.from('\x08nor is this')],
    cut: ['gzip', gzipSync(plain).subarray(0, 30)],
    'cut-br': ['br', brotliCompressSync(plain).subarray(0, 10)],
    'cut-deflate': ['deflate', deflateSync(plain).subarray(0, 30)],
  };
  const port = await httpServer(t, (request, response) => {
    const [coding, body] = bodies[request.url?.slice(1) ?? ''] as [string, Buffer];
    response.setHeader('content-encoding', coding);
    response.end(body);
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const name of Object.keys(bodies)) {
    const answer = await get(fetch, `http://127.0.0.1:${port}/${name}`);
    await t.rejects(bytesOf(answer.body), { ...failed, details: { reason: /coding/ } }, name);
  }
});

t.test('a bomb is undone only as far as it is read', async (t) => {
  const bomb = gzipSync(Buffer.alloc(256 << 20), { level: 9 });
  const deflated = deflateSync(Buffer.alloc(64 << 20), { level: 9 });
  const port = await httpServer(t, (request, response) => {
    const gzip = request.url === '/gzip';
    response.setHeader('content-encoding', gzip ? 'gzip' : 'deflate');
    response.end(gzip ? bomb : deflated);
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const path of ['gzip', 'deflate']) {
    const before = process.memoryUsage.rss();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => get(fetch, `http://127.0.0.1:${port}/${path}`)),
    );
    const iterators = answers.map(iterate);
    for (const iterator of iterators) {
      const { value } = await iterator.next();
      t.ok(value.length <= 65_536);
    }
    await pause(300);
    const grown = process.memoryUsage.rss() - before;
    t.ok(grown < 64 << 20, `${grown >> 20} MiB for ten of them`);
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
});

t.test('what the server sends arrives when it is sent', async (t) => {
  const responses: ServerResponse[] = [];
  const port = await httpServer(t, (_, response) => {
    response.write('one');
    responses.push(response);
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const chunks = iterate(await get(fetch, `http://127.0.0.1:${port}/`));
  const next = async () => Buffer.from((await chunks.next()).value ?? []).toString();
  t.equal(await next(), 'one');
  responses[0]?.write('two');
  t.equal(await next(), 'two');
  responses[0]?.end();
  t.strictSame(await chunks.next(), { done: true, value: undefined });
  t.strictSame(await chunks.next(), { done: true, value: undefined });
});

t.test('so does what it compresses', async (t) => {
  const port = await httpServer(t, (_, response) => {
    response.setHeader('content-encoding', 'gzip');
    const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
    gzip.pipe(response);
    gzip.write('data: one\n\n');
    response.on('close', () => gzip.destroy());
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const chunks = iterate(await get(fetch, `http://127.0.0.1:${port}/`));
  t.equal(Buffer.from((await chunks.next()).value).toString(), 'data: one\n\n');
  await chunks.return?.();
});

t.test('a server can send no faster than the guest reads', async (t) => {
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024, 7);
  const total = 512;
  const port = await httpServer(t, (_, response) => {
    const write = () => {
      while (sent < total) {
        sent += 1;
        if (!response.write(chunk)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const answer = await get(fetch, `http://127.0.0.1:${port}/`);
  await pause(300);
  // What the kernel's buffers take is not ours.
  t.ok(sent < total / 2, `${sent} of ${total} were sent before anything was read`);
  let bytes = 0;
  let longest = 0;
  for await (const part of answer.body as ByteStream) {
    longest = Math.max(longest, part.length);
    bytes += part.length;
  }
  t.equal(bytes, total * chunk.length);
  t.ok(longest <= 65_536, `the longest chunk has ${longest} bytes`);
});

t.test('return closes the connection, read from or not', async (t) => {
  let open = 0;
  const port = await httpServer(t, (request, response) => {
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    if (request.url === '/gzip') {
      response.setHeader('content-encoding', 'gzip');
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
      gzip.pipe(response);
      gzip.write('begun');
    } else {
      response.write('begun');
    }
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const path of ['', 'gzip']) {
    const unread = await get(fetch, `http://127.0.0.1:${port}/${path}`);
    const begun = await get(fetch, `http://127.0.0.1:${port}/${path}`);
    const chunks = iterate(begun);
    await chunks.next();
    const waiting = await get(fetch, `http://127.0.0.1:${port}/${path}`);
    const more = iterate(waiting);
    await more.next();
    const pending = more.next().then(
      () => 'ended',
      (error) => error.code,
    );
    t.equal(open, 3);
    await iterate(unread).return?.();
    await chunks.return?.();
    await more.return?.();
    await until(() => open === 0);
    t.match(await pending, /ended|FETCH_FAILED/, 'who waits is told');
    t.strictSame(await chunks.next().catch(() => ({ done: true })), { done: true }, path);
  }
});

t.test('the signal ends a body', async (t) => {
  let open = 0;
  const port = await httpServer(t, (_, response) => {
    open += 1;
    response.on('close', () => {
      open -= 1;
    });
    response.write('begun');
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const abort = new AbortController();
  const chunks = iterate(await get(fetch, `http://127.0.0.1:${port}/`, {}, abort.signal));
  await chunks.next();
  abort.abort(new Error('enough'));
  await until(() => open === 0);
  await t.rejects(chunks.next());
});

t.test('a body that breaks off', async (t) => {
  const say = (text: string) =>
    tcpServer(t, (socket) => socket.once('data', () => socket.end(text)));
  for (const text of [
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n',
  ]) {
    const port = await say(text);
    const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
    const answer = await get(fetch, `http://127.0.0.1:${port}/`).catch((error) => error);
    if ('body' in answer) {
      // While nobody reads, it is nobody's error.
      await pause(50);
      await t.rejects(bytesOf(answer.body), failed, text);
    } else {
      t.match(answer, failed, text);
    }
  }
  const port = await say('HTTP/1.1 200 OK\r\n\r\nuntil it is closed');
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  t.equal(await textOf(await get(fetch, `http://127.0.0.1:${port}/`)), 'until it is closed');
});

t.test('brotli decoders are few, and given back', async (t) => {
  const body = brotliCompressSync(Buffer.alloc(1 << 20, 'x'));
  const port = await httpServer(t, (_, response) => {
    response.setHeader('content-encoding', 'br');
    response.end(body);
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const url = `http://127.0.0.1:${port}/`;
  const lengths = await Promise.all(
    Array.from({ length: 60 }, async () => (await bytesOf((await get(fetch, url)).body)).length),
  );
  t.ok(lengths.every((length) => length === 1 << 20));

  const held = await Promise.all(Array.from({ length: 16 }, () => get(fetch, url)));
  const abort = new AbortController();
  const seventeenth = fetch.call(fetchPayload(url), context(abort.signal));
  const outcome = await Promise.race([seventeenth, pause(200)]);
  t.equal(outcome, undefined, 'one more waits');
  await iterate(held[0] as Answer).return?.();
  await bytesOf((await seventeenth).body);
  for (const answer of held) {
    await iterate(answer).return?.();
  }
});
