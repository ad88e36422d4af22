import { test } from 'tap';
import { HatcheryError } from '../../src/errors.js';
import type { FunctionRequest } from '../../src/fabric/message.js';
import { bodyOf, type Echo, echo, replyWith, withFake } from './fake.js';
import { Client, exchange, jsonOf, lines, statusesOf } from './http.js';

const CHUNKED = 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n';
const MEBIBYTE = 1024 * 1024;

function chunk(bytes: string): string {
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
}

test('a small body is handed over whole', (t) =>
  withFake(echo, async ({ url }) => {
    for (const body of ['', 'a', '\u00e4'.repeat(60_000)]) {
      const response = await fetch(url, { method: 'POST', body: Buffer.from(body, 'latin1') });
      t.match((await response.json()) as Echo, { body, isStreamed: false });
    }
    const client = await Client.open(url);
    client.send(`${CHUNKED}${chunk('one')}`);
    client.send(`${chunk('two')}0\r\nTrailer: x\r\n\r\n`);
    t.match(jsonOf(await client.until(/\}$/)), { body: 'onetwo', isStreamed: false });
    client.socket.destroy();
  }));

test('a large body is streamed, byte-exact', (t) =>
  withFake(
    async (request) => replyWith(await bodyOf(request)),
    async ({ url }) => {
      const body = Buffer.alloc(
        3 * MEBIBYTE,
        Uint8Array.from({ length: 251 }, (_, i) => i),
      );
      const response = await fetch(url, { method: 'POST', body });
      t.ok(Buffer.from(await response.arrayBuffer()).equals(body));
    },
  ));

test('a body that comes slowly is handed over as it comes', (t) => {
  let seen: FunctionRequest | undefined;
  const handle = async (request: FunctionRequest) => {
    seen = request;
    return replyWith(await bodyOf(request));
  };
  return withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    client.send(`${CHUNKED}${chunk('now')}`);
    while (seen === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    t.equal(seen.body?.toString(), 'now');
    t.ok(seen.rest);
    client.send(`${chunk(' and then')}0\r\n\r\n`);
    t.match(await client.until(/then$/), /now and then$/);
    t.match(client.text, /^Content-Length: 12\r$/m);
    client.socket.destroy();
  });
});

test('a body is read no faster than the function takes it', (t) => {
  let taken = 0;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handle = async ({ body, rest }: FunctionRequest) => {
    taken = body?.length ?? 0;
    await held;
    for await (const bytes of rest ?? []) {
      taken += bytes.length;
    }
    return replyWith(String(taken));
  };
  return withFake(
    handle,
    async ({ url }) => {
      const client = await Client.open(url);
      const bytes = 64 * MEBIBYTE;
      client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n\r\n`);
      client.send('x'.repeat(bytes));
      await new Promise((resolve) => setTimeout(resolve, 300));
      t.ok(client.socket.writableLength > bytes / 2, 'most of it is still with the client');
      t.ok(taken >= 64 * 1024 && taken < MEBIBYTE);
      release();
      t.match(await client.until(/\d{8}$/), new RegExp(`${bytes}$`));
      client.socket.destroy();
    },
    { limits: { maxRequestBodyBytes: 64 * MEBIBYTE } },
  );
});

test('a length above the limit is refused before anything of it is read', async (t) => {
  let served = 0;
  const handle = () => {
    served += 1;
    return replyWith('');
  };
  await withFake(handle, async ({ url }) => {
    // 1 GiB, of which the client sends some without waiting.
    const answer = await exchange(
      url,
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${1024 * MEBIBYTE}\r\n\r\n${'x'.repeat(8 * MEBIBYTE)}`,
    ).catch((error: NodeJS.ErrnoException) => error.code);
    t.match(answer, 'HTTP/1.1 413 ');
    t.match(answer, /^Connection: close\r$/m);
    t.match(jsonOf(answer as string), {
      code: 'REQUEST_BODY_TOO_LARGE',
      details: { limit: 4 * MEBIBYTE },
    });
    t.equal(served, 0);
  });
});

test('a body that turns out too large is refused when it does', (t) => {
  const limit = MEBIBYTE;
  const handle = async ({ body, rest }: FunctionRequest) => {
    let bytes = body?.length ?? 0;
    for await (const part of rest ?? []) {
      bytes += part.length;
      if (bytes > limit) {
        throw new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit });
      }
    }
    return replyWith(String(bytes));
  };
  return withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    client.send(CHUNKED + chunk('x'.repeat(64 * 1024)).repeat(64));
    await client.until(/\}$/);
    t.match(client.text, 'HTTP/1.1 413 ');
    t.match(client.text, /^Connection: close\r$/m);
    t.equal(client.error, undefined, 'the client is not reset while it still sends');
    await client.closed;
  });
});

test('a body that breaks off throws in the function', (t) => {
  const seen: unknown[] = [];
  const handle = async (request: FunctionRequest) => {
    try {
      return replyWith(await bodyOf(request));
    } catch (error) {
      seen.push(error);
      throw error;
    }
  };
  return withFake(handle, async ({ url }) => {
    const start = 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n';
    // The client closes for good.
    const gone = await Client.open(url);
    gone.send(start + 'x'.repeat(70_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    gone.socket.destroy();
    // The client sends no more, but would read.
    const half = await Client.open(url);
    half.send(start + 'x'.repeat(70_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    half.socket.end();
    await half.closed;
    t.match(half.text, 'HTTP/1.1 400 ');
    t.match(jsonOf(half.text), { code: 'INVALID_ARGUMENT' });
    // The client sends what is no chunk.
    const wrong = await Client.open(url);
    wrong.send(CHUNKED + chunk('x'.repeat(70_000)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    wrong.send('nonsense\r\n');
    await wrong.closed;
    t.match(wrong.text, 'HTTP/1.1 400 ');
    t.match(wrong.text, /^Connection: close\r$/m);
    t.strictSame(statusesOf(wrong.text), [400]);
    t.equal(seen.length, 3);
    for (const error of seen) {
      t.match(error, { code: 'INVALID_ARGUMENT' });
    }
  });
});

test('a body that breaks off early never gets to a function', async (t) => {
  let served = 0;
  const handle = () => {
    served += 1;
    return replyWith('');
  };
  await withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf');
    client.socket.end();
    await client.closed;
    t.match(client.text, 'HTTP/1.1 400 ');
    t.match(jsonOf(client.text), {
      code: 'INVALID_ARGUMENT',
      message: 'The request is incomplete.',
    });
    t.equal(served, 0);
  });
});

test('a response before the end of the request closes the connection, gently', (t) =>
  withFake(
    () => replyWith('early'),
    async ({ url }) => {
      const client = await Client.open(url);
      client.send(CHUNKED + chunk('x'.repeat(70_000)));
      await client.until(/early$/);
      t.match(client.text, /^Connection: close\r$/m);
      client.send(chunk('y'.repeat(100_000)));
      client.send(`0\r\n\r\n${lines('GET /smuggled HTTP/1.1', 'Host: h')}`);
      await client.closed;
      t.equal(client.error, undefined);
      t.strictSame(statusesOf(client.text), [200]);
    },
  ));

test('what a function leaves of a body does not become the next request', (t) => {
  const handle = async ({ rest }: FunctionRequest) => {
    const iterator = rest?.[Symbol.asyncIterator]();
    await iterator?.return?.();
    return replyWith('done');
  };
  return withFake(handle, async ({ url }) => {
    const client = await Client.open(url);
    const inner = lines('GET /inner HTTP/1.1', 'Host: h');
    client.send(CHUNKED + chunk('x'.repeat(70_000)));
    await client.until(/done$/);
    client.send(`${chunk(inner)}0\r\n\r\n`);
    await client.closed;
    t.strictSame(statusesOf(client.text), [200]);
  });
});
