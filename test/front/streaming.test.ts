import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { HatcheryError } from '../../src/errors.js';
import type { ByteStream, Reply } from '../../src/fabric/message.js';
import { bodyOf, replyWith, until, withFake } from './fake.js';
import { Client, exchange, lines } from './http.js';

/** A stream that is written by hand, and knows what became of it. */
class Source implements ByteStream {
  readonly #chunks: (Uint8Array | Error | undefined)[] = [];
  #wake = () => {};
  taken = 0;
  isReturned = false;

  write(chunk: string | Uint8Array): void {
    this.#add(Buffer.from(chunk));
  }

  end(): void {
    this.#add(undefined);
  }

  fail(error: Error): void {
    this.#add(error);
  }

  #add(item: Uint8Array | Error | undefined): void {
    this.#chunks.push(item);
    this.#wake();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        while (this.#chunks.length === 0 && !this.isReturned) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        const chunk = this.#chunks.shift();
        if (chunk instanceof Error) {
          throw chunk;
        }
        this.taken += chunk?.length ?? 0;
        return chunk === undefined ? { done: true, value: chunk } : { done: false, value: chunk };
      },
      return: async () => {
        this.isReturned = true;
        this.#wake();
        return { done: true, value: undefined };
      },
    };
  }
}

async function* forever(size: number): ByteStream & AsyncGenerator<Uint8Array> {
  for (;;) {
    await sleep(0);
    yield Buffer.alloc(size, 'x');
  }
}

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n';

test('each chunk reaches the client when it comes', (t) => {
  const source = new Source();
  return withFake(
    () => replyWith(source, ['content-type', 'text/event-stream']),
    async ({ url }) => {
      const response = await fetch(url);
      t.equal(response.headers.get('content-type'), 'text/event-stream');
      t.equal(response.headers.get('transfer-encoding'), 'chunked');
      t.match(response.headers.get('x-request-id'), /./);
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      for (let i = 0; i < 10; i += 1) {
        source.write(`data: ${i}\n\n`);
        const { value } = await reader.read();
        t.equal(Buffer.from(value as Uint8Array).toString(), `data: ${i}\n\n`);
      }
      source.end();
      t.ok((await reader.read()).done);
    },
  );
});

test('both directions at a time', (t) =>
  withFake(
    ({ body, rest }) => {
      async function* doubled() {
        yield body ?? Buffer.alloc(0);
        for await (const chunk of rest ?? []) {
          yield chunk;
          yield chunk;
        }
      }
      return replyWith(doubled());
    },
    async ({ url }) => {
      const client = await Client.open(url);
      client.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
      await client.until(/1\r\na\r\n$/);
      client.send('1\r\nb\r\n');
      await client.until(/1\r\nb\r\n1\r\nb\r\n$/);
      client.send('1\r\nc\r\n0\r\n\r\n');
      await client.until(/1\r\nc\r\n1\r\nc\r\n0\r\n\r\n$/);
      await client.closed;
      t.match(client.text, 'HTTP/1.1 200 OK');
    },
  ));

test('a length that the function gave is kept to', (t) =>
  withFake(
    (request) => {
      const source = new Source();
      source.write('12345');
      source.write(request.url.endsWith('/more') ? '678901' : '67890');
      source.end();
      const length = request.url.endsWith('/less') ? '11' : '10';
      return replyWith(source, ['content-length', length]);
    },
    async ({ url }) => {
      const exact = await exchange(url, lines('GET / HTTP/1.1', 'Host: h'));
      t.match(exact, /^Content-Length: 10\r$/m);
      t.notMatch(exact, /Transfer-Encoding/);
      t.match(exact, /\r\n\r\n1234567890$/);
      for (const path of ['/more', '/less']) {
        const client = await Client.open(url);
        client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
        await client.closed;
        t.match(client.text, /\r\n\r\n12345/);
        t.ok(client.text.endsWith('5') || client.text.endsWith('0'), 'never a byte too many');
      }
      await t.rejects((await fetch(`${url}/less`)).text());
    },
  ));

test('a length that is none is not sent on', (t) =>
  withFake(
    () => {
      const source = new Source();
      source.write('body');
      source.end();
      return replyWith(source, ['content-length', '4, 4']);
    },
    async ({ url }) => {
      const response = await fetch(url);
      t.equal(response.headers.get('content-length'), null);
      t.equal(await response.text(), 'body');
    },
  ));

test('HTTP/1.0 gets no chunks but an end', (t) =>
  withFake(
    () => {
      const source = new Source();
      source.write('one');
      source.write('two');
      source.end();
      return replyWith(source);
    },
    async ({ url }) => {
      const answer = await exchange(
        url,
        'GET / HTTP/1.0\r\nConnection: keep-alive\r\nTE: trailers\r\n\r\n',
      );
      t.match(answer, /\r\n\r\nonetwo$/);
      t.match(answer, /^Connection: close\r$/m);
      t.notMatch(answer, /Transfer-Encoding|Trailer/);
    },
  ));

test('where there is no body the stream is ended', (t) => {
  const sources: Source[] = [];
  const handle = ({ url }: { readonly url: string }): Reply => {
    const source = new Source();
    sources.push(source);
    return replyWith(source, [], Number(url.slice(-3)));
  };
  return withFake(handle, async ({ url }) => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const answer = await exchange(url, lines(`${method} /${status} HTTP/1.1`, 'Host: h'));
      t.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      t.match(answer, /\r\n\r\n$/);
    }
    t.strictSame(
      sources.map((source) => source.isReturned),
      [true, true, true],
    );
  });
});

test('a body that breaks off is noticed by the client', (t) => {
  const logged: object[] = [];
  const logger = { warn: (entry: object) => logged.push(entry) };
  return withFake(
    () => {
      const source = new Source();
      source.write('half');
      source.fail(new HatcheryError('DEADLINE_EXCEEDED', { limit: 1 }));
      return replyWith(source);
    },
    async ({ url }) => {
      const client = await Client.open(url);
      client.send(`${GET}\r\n`);
      await client.closed;
      t.match(client.text, /4\r\nhalf\r\n$/, 'without the last chunk');
      await t.rejects((await fetch(url)).text());
      t.match(logged[0], { code: 'DEADLINE_EXCEEDED', requestId: /./ });
    },
    { logger: logger as never },
  );
});

test('the function makes no more than the client reads', (t) => {
  const source = new Source();
  return withFake(
    () => replyWith(source),
    async ({ url }) => {
      const client = await Client.open(url);
      client.socket.pause();
      client.send(lines('GET / HTTP/1.1', 'Host: h'));
      for (let i = 0; i < 240; i += 1) {
        source.write(Buffer.alloc(100_000, '%'));
      }
      await sleep(300);
      t.ok(source.taken > 0 && source.taken < 16_000_000, String(source.taken));
      source.end();
      client.socket.resume();
      await client.closed;
      t.equal(client.text.match(/%/g)?.length, 24_000_000);
    },
  );
});

test('a client that does not read is cut off by the wall limit', async (t) => {
  let ended = false;
  async function* endless() {
    try {
      yield* forever(4_000_000);
    } finally {
      ended = true;
    }
  }
  await withFake(
    () => replyWith(endless()),
    async (front) => {
      const client = await Client.open(front.url);
      client.socket.pause();
      const start = performance.now();
      client.send(`${GET}\r\n`);
      await sleep(100);
      t.equal(front.inFlight, 1);
      await until(() => front.inFlight === 0);
      t.ok(performance.now() - start >= 190);
      t.ok(ended);
      client.socket.destroy();
    },
    { limits: { wallMilliseconds: 200 } },
  );
});

test('a client that leaves a whole response unread is cut off', (t) =>
  withFake(
    () => replyWith(Buffer.alloc(64_000_000)),
    async (front) => {
      const client = await Client.open(front.url);
      client.socket.pause();
      client.send(`${GET}\r\n`);
      const start = performance.now();
      await until(() => front.inFlight > 0);
      await until(() => front.inFlight === 0);
      t.ok(performance.now() - start >= 190);
      client.socket.destroy();
    },
    { clientMilliseconds: 200 },
  ));

test('the end of the timeline comes as a trailer', (t) =>
  withFake(
    (_request, timeline) => {
      timeline.guest = 1;
      async function* body() {
        yield Buffer.from('body');
        timeline.guest = 2;
      }
      return { status: 200, headers: ['content-length', '4'], body: body(), timeline };
    },
    async ({ url }) => {
      const answer = await exchange(url, lines('GET / HTTP/1.1', 'Host: h', 'TE: trailers'));
      t.match(answer, /^Server-Timing: guest;dur=1\.000\r$/m);
      t.match(answer, /^Trailer: Server-Timing\r$/m);
      t.match(
        answer,
        /4\r\nbody\r\n0\r\nServer-Timing: guest;dur=2\.000, reply;dur=\d\.\d{3}\r\n\r\n$/,
      );
    },
  ));

test('what a function compressed goes through as it is, and nothing else is compressed', (t) =>
  withFake(
    (request) =>
      request.url.endsWith('/gzip')
        ? replyWith(Buffer.from([0x1f, 0x8b, 8]), ['content-encoding', 'gzip'])
        : replyWith('x'.repeat(10_000)),
    async ({ url }) => {
      const gzip = ['Host: h', 'Accept-Encoding: gzip, br'];
      const packed = await exchange(url, lines('GET /gzip HTTP/1.1', ...gzip));
      t.match(packed, /^content-encoding: gzip\r$/m);
      t.ok(packed.endsWith('\r\n\r\n\x1f\x8b\x08'));
      const plain = await exchange(url, lines('GET / HTTP/1.1', ...gzip));
      t.notMatch(plain, /content-encoding/i);
      t.match(plain, /\r\n\r\nx{10000}$/);
    },
  ));

test('several cookies, and every byte', (t) =>
  withFake(
    async (request) => {
      const bytes = await bodyOf(request);
      async function* halves() {
        yield bytes.subarray(0, 100);
        yield bytes.subarray(100);
      }
      return replyWith(halves(), ['set-cookie', 'a=1', 'set-cookie', 'b=2']);
    },
    async ({ url }) => {
      const body = Uint8Array.from({ length: 256 }, (_, i) => i);
      const response = await fetch(url, { method: 'POST', body });
      t.strictSame(response.headers.getSetCookie(), ['a=1', 'b=2']);
      t.strictSame(new Uint8Array(await response.arrayBuffer()), body);
    },
  ));
