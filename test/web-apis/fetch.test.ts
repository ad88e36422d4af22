import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { test } from 'tap';
import type { FunctionDefinition } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { lineLike, type Served, serve, URL } from './serve.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(answer: Answer): Promise<{ server: Server; origin: string; host: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, host, origin: `http://${host}` };
}

/** Runs a handler that may fetch from a server, whose address it has as ORIGIN. */
async function fetching(
  answer: Answer,
  body: string,
  use: (served: Served) => Promise<void>,
  definition: Partial<FunctionDefinition> = {},
): Promise<void> {
  const { server, origin, host } = await listen(answer);
  try {
    await serve(`const { ORIGIN } = env; ${body}`, use, {
      env: { ORIGIN: origin },
      allowFetch: [host],
      ...definition,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const json = async ({ fn }: Served): Promise<unknown> => (await fn.fetch(URL)).json();

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Answers with what came, as JSON. */
const mirror: Answer = async (request, response) => {
  const body = await bodyOf(request);
  const { method, url, headers } = request;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ method, url, headers, body: body.toString('latin1') }));
};

test('a response has all that the server sent', { skip: noDriver }, async (t) => {
  const answer: Answer = (_, response) => {
    response.writeHead(418, 'A Teapot', [
      ['X-Latin', 'caf\xe9'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['Content-Type', 'text/x-tea'],
    ] as never);
    response.end('tea');
  };
  const body = `
    const response = await fetch(ORIGIN + '/pot?a=b#fragment');
    let isFixed = false;
    try { response.headers.set('x', 'y'); } catch (error) { isFixed = error instanceof TypeError; }
    return Response.json([
      response instanceof Response, response.status, response.ok, response.statusText, response.type,
      response.url === ORIGIN + '/pot?a=b', response.redirected, response.headers.get('x-latin'),
      response.headers.getSetCookie(), response.bodyUsed, await response.text(), response.bodyUsed,
      isFixed,
    ]);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), [
      true,
      418,
      false,
      'A Teapot',
      'basic',
      true,
      false,
      'caf\xe9',
      ['a=1', 'b=2'],
      false,
      'tea',
      true,
      true,
    ]);
  });
});

test('a request has all that the guest gave', { skip: noDriver }, async (t) => {
  const body = `
    const form = new FormData();
    form.append('field', 'value');
    const stream = new ReadableStream({
      async start(controller) {
        for (const text of ['one', 'two']) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          controller.enqueue(new TextEncoder().encode(text));
        }
        controller.close();
      },
    });
    const send = async (init, path = '/') => (await fetch(ORIGIN + path, init)).json();
    return Response.json([
      await send({}, '/a?b=ü'),
      await send({ method: 'PATCH', body: 'tëxt', headers: { 'x-a': 'b' } }),
      await send({ method: 'POST', body: new Uint8Array([0, 255]) }),
      await send({ method: 'POST', body: new URLSearchParams({ a: '1 2' }) }),
      await send({ method: 'POST', body: new Blob(['blob'], { type: 'x/y' }) }),
      await send({ method: 'POST', body: form }),
      await send({ method: 'PUT', body: stream }),
      await (await fetch(new Request(ORIGIN, { method: 'DELETE' }), { headers: { b: 'c' } })).json(),
      await (await fetch(new URL(ORIGIN), { method: 'POST', body: request.body })).json(),
    ]);`;
  await fetching(mirror, body, async ({ fn }) => {
    const response = await fn.fetch(URL, { method: 'POST', body: 'passed on' });
    const seen = (await response.json()) as {
      method: string;
      url: string;
      headers: Record<string, string>;
      body: string;
    }[];
    t.match(seen, [
      { method: 'GET', url: '/a?b=%C3%BC', body: '' },
      {
        method: 'PATCH',
        headers: { 'x-a': 'b', 'content-type': 'text/plain;charset=UTF-8' },
        body: Buffer.from('tëxt').toString('latin1'),
      },
      { body: '\0\xff' },
      {
        headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
        body: 'a=1+2',
      },
      { headers: { 'content-type': 'x/y' }, body: 'blob' },
      { headers: { 'content-type': /^multipart\/form-data; ?boundary=/ }, body: /name="field"/ },
      { method: 'PUT', body: 'onetwo' },
      { method: 'DELETE', headers: { b: 'c' } },
      { method: 'POST', body: 'passed on' },
    ]);
  });
});

test('bodies of all sizes, read in each way', { skip: noDriver }, async (t) => {
  const bytes = Buffer.alloc(2_000_000, 'abcdefghijk');
  const answer: Answer = (request, response) => {
    response.end(bytes.subarray(0, Number((request.url as string).slice(1))));
  };
  const body = `
    const get = (size) => fetch(ORIGIN + '/' + size);
    let chunked = 0;
    for await (const chunk of (await get(2_000_000)).body) chunked += chunk.length;
    const copied = await get(300_000);
    const copy = copied.clone();
    const reader = (await get(100_000)).body.getReader({ mode: 'byob' });
    const { value } = await reader.read(new Uint8Array(10));
    await reader.cancel();
    return Response.json([
      (await (await get(0)).text()).length, (await (await get(1)).text()),
      (await (await get(2_000_000)).bytes()).length,
      (await (await get(700_000)).blob()).size, chunked,
      (await copied.text()).length, (await copy.arrayBuffer()).byteLength,
      new TextDecoder().decode(value),
    ]);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), [
      0,
      'a',
      2_000_000,
      700_000,
      2_000_000,
      300_000,
      300_000,
      'abcdefghij',
    ]);
  });
});

test('a coded body comes decoded', { skip: noDriver }, async (t) => {
  const answer: Answer = (request, response) => {
    const isBrotli = request.url === '/br';
    response.setHeader('content-encoding', isBrotli ? 'br' : 'gzip');
    response.end((isBrotli ? brotliCompressSync : gzipSync)('plain '.repeat(1000)));
  };
  const body = `
    const seen = [];
    for (const path of ['/gzip', '/br']) {
      const response = await fetch(ORIGIN + path);
      seen.push([response.headers.get('content-encoding'), response.headers.get('content-length'),
        (await response.text()).length]);
    }
    return Response.json(seen);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), [
      [null, null, 6000],
      [null, null, 6000],
    ]);
  });
  const through = "return fetch(ORIGIN + '/gzip');";
  await fetching(answer, through, async ({ fn }) => {
    const response = await fn.fetch(URL);
    t.equal(response.headers.get('content-encoding'), null);
    t.equal((await response.text()).length, 6000);
  });
});

test('redirects are followed, refused or handed over', { skip: noDriver }, async (t) => {
  const answer: Answer = (request, response) => {
    if (request.url === '/end') response.end('end');
    else response.writeHead(302, { location: '/end' }).end();
  };
  const body = `
    const followed = await fetch(ORIGIN + '/start');
    const manual = await fetch(ORIGIN + '/start', { redirect: 'manual' });
    const refused = await fetch(ORIGIN + '/start', { redirect: 'error' }).catch((error) => error);
    return Response.json([followed.url === ORIGIN + '/end', followed.redirected,
      await followed.text(), manual.status, manual.headers.get('location'), manual.redirected,
      refused instanceof TypeError, refused.code]);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), [true, true, 'end', 302, '/end', false, true, 'FETCH_FAILED']);
  });
});

test('a request that came in is sent on as it is', { skip: noDriver }, async (t) => {
  const answer: Answer = (request, response) => {
    const { host, connection, te, 'x-mine': mine } = request.headers;
    response.end(JSON.stringify({ host, connection, te, mine, method: request.method }));
  };
  const body = `
    const incoming = new Request('http://other/', { method: 'PUT', body: 'x', headers: {
      host: 'other', te: 'trailers', 'transfer-encoding': 'chunked', 'content-length': '7',
      'proxy-authorization': 'x', 'x-mine': 'kept' } });
    return fetch(new Request(ORIGIN + '/there', incoming));`;
  await fetching(answer, body, async (served) => {
    t.match(await json(served), { host: /^127\.0\.0\.1:/, mine: 'kept', method: 'PUT' });
  });
});

test('what fails is a TypeError that says why', { skip: noDriver }, async (t) => {
  const answer: Answer = (request, response) => {
    if (request.url === '/slow') return;
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '100' });
      response.write('some');
      setTimeout(() => response.destroy(), 20);
      return;
    }
    request.socket.destroy();
  };
  const body = `
    const tell = (error) => [error instanceof TypeError, error.code, error.cause?.code,
      typeof error.message];
    const fails = (url, init) => fetch(url, init).then(() => 'nothing', tell);
    const cut = await fetch(ORIGIN + '/cut');
    return Response.json([
      await fails('http://127.0.0.1:1/'), await fails('http://10.0.0.1/'), await fails(ORIGIN),
      await fails(ORIGIN + '/slow'), await cut.text().then(() => 'nothing', tell),
    ]);`;
  await fetching(
    answer,
    body,
    async (served) => {
      const failed = (code: string) => [true, code, code, 'string'];
      t.strictSame(await json(served), [
        failed('FETCH_DENIED'),
        failed('FETCH_DENIED'),
        failed('FETCH_FAILED'),
        failed('HOST_CALL_TIMEOUT'),
        failed('FETCH_FAILED'),
      ]);
    },
    { limits: { hostCallMilliseconds: 1000 } },
  );
});

test('a signal ends a fetch, before the response and in the middle of its body', {
  skip: noDriver,
}, async (t) => {
  let closed = 0;
  const answer: Answer = (request, response) => {
    response.on('close', () => {
      closed += response.writableFinished ? 0 : 1;
    });
    if (request.url === '/body') response.write('some');
  };
  const body = `
    const controller = new AbortController();
    setTimeout(() => controller.abort(new RangeError('enough')), 30);
    const first = await fetch(ORIGIN, { signal: controller.signal }).catch((error) => error);
    const second = await fetch(ORIGIN, { signal: AbortSignal.timeout(30) }).catch((error) => error);
    const third = new AbortController();
    const response = await fetch(ORIGIN + '/body', { signal: third.signal });
    const reader = response.body.getReader();
    const some = new TextDecoder().decode((await reader.read()).value);
    setTimeout(() => third.abort(), 30);
    const broken = await reader.read().catch((error) => error);
    const dropped = await fetch(ORIGIN + '/body');
    await dropped.body.cancel();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return Response.json([first.message, second.name, some, broken.name]);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), ['enough', 'TimeoutError', 'some', 'AbortError']);
    for (let i = 0; i < 100 && closed < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    t.equal(closed, 4, 'the host hangs up each time');
  });
});

test('a signal that is aborted late does nothing', { skip: noDriver }, async (t) => {
  const body = `
    const controller = new AbortController();
    const response = await fetch(ORIGIN, { signal: controller.signal });
    const text = await response.text();
    controller.abort();
    return Response.json([text.length > 0, (await (await fetch(ORIGIN)).json()).method]);`;
  await fetching(mirror, body, async (served) => {
    t.strictSame(await json(served), [true, 'GET']);
  });
});

test('a response can be handed on as it comes', { skip: noDriver }, async (t) => {
  const answer: Answer = async (_, response) => {
    response.writeHead(201, { 'x-a': '1', 'content-type': 'text/event-stream' });
    for (let i = 0; i < 3; i++) {
      response.write(`data: ${i}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    response.end();
  };
  for (const body of [
    'return fetch(ORIGIN);',
    'const response = await fetch(ORIGIN); return new Response(response.body, response);',
  ]) {
    await fetching(answer, body, async ({ fn }) => {
      const response = await fn.fetch(URL);
      t.equal(response.status, 201);
      t.equal(response.headers.get('x-a'), '1');
      const times: number[] = [];
      let text = '';
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        times.push(performance.now());
        text += new TextDecoder().decode(chunk);
      }
      t.equal(text, 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
      t.ok((times.at(-1) as number) - (times[0] as number) > 100, 'chunk by chunk');
    });
  }
});

test('responses without a body', { skip: noDriver }, async (t) => {
  const answer: Answer = (request, response) => {
    response.statusCode = request.method === 'HEAD' ? 200 : 204;
    response.end();
  };
  const body = `
    const none = await fetch(ORIGIN);
    const head = await fetch(ORIGIN, { method: 'HEAD' });
    return Response.json([none.status, none.body, await none.text(), head.status, head.body,
      await head.text()]);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), [204, null, '', 200, null, '']);
  });
  await fetching(answer, 'return fetch(ORIGIN);', async ({ fn }) => {
    t.equal((await fn.fetch(URL)).status, 204);
  });
});

test('many fetches at a time, with timers among them', { skip: noDriver }, async (t) => {
  let running = 0;
  let most = 0;
  const answer: Answer = (request, response) => {
    running += 1;
    most = Math.max(most, running);
    setTimeout(() => {
      running -= 1;
      response.end((request.url as string).repeat(10_000));
    }, 600);
  };
  const body = `
    let ticks = 0;
    const id = setInterval(() => ticks++, 5);
    const texts = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const response = await fetch(ORIGIN + '/' + i);
      return response.text();
    }));
    clearInterval(id);
    return Response.json([texts.every((text, i) => text === ('/' + i).repeat(10000)), ticks > 5]);`;
  await fetching(answer, body, async (served) => {
    t.strictSame(await json(served), [true, true]);
    t.equal(most, 20, 'all at a time');
  });
});

test('work behind the response may fetch', { skip: noDriver }, async (t) => {
  const body = `
    ctx.waitUntil(fetch(ORIGIN + '/behind').then((response) => response.json())
      .then(({ url }) => console.log('fetched ' + url)));
    return new Response('at once');`;
  await fetching(mirror, body, async ({ fn, lines }) => {
    t.equal(await (await fn.fetch(URL)).text(), 'at once');
    t.ok(await lineLike(lines, /fetched \/behind/));
  });
});

test('the body of an earlier request’s fetch is gone', { skip: noDriver }, async (t) => {
  const body = `
    if (globalThis.kept === undefined) {
      globalThis.kept = await fetch(ORIGIN);
      return Response.json('kept');
    }
    const error = await kept.text().catch((reason) => reason);
    return Response.json([error.name, error.message, (await (await fetch(ORIGIN)).json()).method]);`;
  await fetching(mirror, body, async ({ fn }) => {
    await using instance = await fn.spawn();
    t.equal(await (await instance.fetch(URL)).json(), 'kept');
    t.strictSame(await (await instance.fetch(URL)).json(), [
      'TypeError',
      'the request is over',
      'GET',
    ]);
  });
});
