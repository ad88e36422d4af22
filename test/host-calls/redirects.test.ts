/** Redirects that are followed: what the next request is. */
import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { bytesOf, get, httpServer, outboundFetch, textOf } from './fetching.js';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** `/to/STATUS/LOCATION` redirects; anything else answers with what was seen. */
async function redirecting(t: Parameters<typeof httpServer>[0]): Promise<number> {
  return httpServer(t, async (request, response) => {
    const body = (await bytesOf(request)).toString();
    const { method = '', url = '', headers } = request;
    const [, status, location] = /^\/to\/(\d+)\/(.*)$/.exec(url) ?? [];
    if (status !== undefined) {
      const to = decodeURIComponent(location ?? '');
      response.writeHead(Number(status), to === '' ? {} : { location: to });
      response.end('moved');
      return;
    }
    response.end(JSON.stringify({ method, url, headers, body } satisfies Seen));
  });
}

t.test('methods and bodies', async (t) => {
  const port = await redirecting(t);
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  const cases: [status: number, method: string, becomes: string][] = [
    [301, 'GET', 'GET'],
    [301, 'POST', 'GET'],
    [301, 'PUT', 'PUT'],
    [302, 'POST', 'GET'],
    [302, 'DELETE', 'DELETE'],
    [303, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [303, 'GET', 'GET'],
    [307, 'POST', 'POST'],
    [308, 'PATCH', 'PATCH'],
  ];
  for (const [status, method, becomes] of cases) {
    const body = method === 'GET' ? '' : 'the body';
    const answer = await get(
      fetch,
      `http://127.0.0.1:${port}/to/${status}/${encodeURIComponent('/end?x')}`,
      {
        method,
        body,
        headers: ['content-type', 'text/plain', 'authorization', 'Bearer x', 'x-kept', '1'],
      },
    );
    const seen = JSON.parse(await textOf(answer)) as Seen;
    const name = `${status} of ${method}`;
    t.equal(seen.method, becomes, name);
    t.equal(seen.url, '/end?x', name);
    t.equal(seen.body, becomes === method ? body : '', name);
    t.equal(seen.headers['content-type'], becomes === method ? 'text/plain' : undefined, name);
    t.equal(
      seen.headers['content-length'],
      becomes === method && body !== '' ? '8' : undefined,
      name,
    );
    t.equal(seen.headers.authorization, 'Bearer x', `${name} stays in the origin`);
    t.equal(seen.headers['x-kept'], '1', name);
    t.equal(answer.url, `http://127.0.0.1:${port}/end?x`, name);
  }
  const head = await get(fetch, `http://127.0.0.1:${port}/to/303/%2Fend`, { method: 'HEAD' });
  t.equal(head.status, 200);
});

t.test('another origin gets no credentials', async (t) => {
  const [port, other] = [await redirecting(t), await redirecting(t)];
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`, `127.0.0.1:${other}`] });
  const to = encodeURIComponent(`http://127.0.0.1:${other}/end`);
  const seen = JSON.parse(
    await textOf(
      await get(fetch, `http://127.0.0.1:${port}/to/307/${to}`, {
        method: 'POST',
        body: 'again',
        headers: ['Authorization', 'Bearer x', 'Cookie', 'a=b', 'x-kept', '1'],
      }),
    ),
  ) as Seen;
  t.equal(seen.headers.authorization, undefined);
  t.equal(seen.headers.cookie, undefined);
  t.equal(seen.headers['x-kept'], '1');
  t.equal(seen.headers.host, `127.0.0.1:${other}`);
  t.equal(seen.body, 'again');

  // Not back either: what was dropped is gone.
  const back = encodeURIComponent(`http://127.0.0.1:${port}/end`);
  const away = encodeURIComponent(`http://127.0.0.1:${other}/to/302/${back}`);
  const returned = JSON.parse(
    await textOf(
      await get(fetch, `http://127.0.0.1:${port}/to/302/${away}`, {
        headers: ['authorization', 'Bearer x'],
      }),
    ),
  ) as Seen;
  t.equal(returned.headers.authorization, undefined);
});

t.test('what is no redirect', async (t) => {
  const port = await redirecting(t);
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  for (const path of ['/to/302/', '/to/300/x', '/to/304/x', '/to/201/x', '/to/305/x']) {
    const answer = await get(fetch, `http://127.0.0.1:${port}${path}`);
    t.equal(answer.status, Number(path.slice(4, 7)), path);
    await bytesOf(answer.body);
  }
});

t.test('twenty redirects are followed, one more is not', async (t) => {
  const port = await httpServer(t, (request, response) => {
    const left = Number(request.url?.slice(1));
    response.writeHead(left > 0 ? 302 : 200, { location: `/${left - 1}` }).end('x');
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  t.equal((await get(fetch, `http://127.0.0.1:${port}/20`)).status, 200);
  await t.rejects(get(fetch, `http://127.0.0.1:${port}/21`), {
    code: 'FETCH_FAILED',
    details: { reason: /more than 20/ },
  });
});

t.test('locations as servers send them', async (t) => {
  const port = await httpServer(t, (request, response) => {
    if (request.url === '/two') {
      response
        .writeHead(302, [
          ['location', '/a'],
          ['location', '/b'],
        ] as never)
        .end();
    } else if (request.url === '/utf8') {
      response.writeHead(302, { location: Buffer.from('/caf\u00e9').toString('latin1') }).end();
    } else {
      response.end(request.url);
    }
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  await t.rejects(get(fetch, `http://127.0.0.1:${port}/two`), { code: 'FETCH_FAILED' });
  t.equal(await textOf(await get(fetch, `http://127.0.0.1:${port}/utf8`)), '/caf%C3%A9');
});

t.test('a redirect with a body that never ends', async (t) => {
  const port = await httpServer(t, (request, response) => {
    if (request.url === '/end') {
      response.end('there');
      return;
    }
    response.writeHead(302, { location: '/end' });
    const timer = setInterval(() => response.write('x'.repeat(10_000)), 1);
    response.on('close', () => clearInterval(timer));
  });
  const fetch = outboundFetch(t, { allow: [`127.0.0.1:${port}`] });
  t.equal(await textOf(await get(fetch, `http://127.0.0.1:${port}/`)), 'there');
});
