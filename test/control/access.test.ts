/** Who may use the control API, and what hostile clients get of it. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { OPERATIONS } from '../../src/api/operations.js';
import { noDriver } from '../drivers/default-driver.js';
import { collectLines } from '../supervisor/functions.js';
import { says, startControl } from './control-under-test.js';

/** All that comes back on a connection of its own, until it is closed. */
function raw(url: string, text: string, milliseconds = 10_000): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text));
    socket.setTimeout(milliseconds, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4) || '{}');

t.test('access', { skip: noDriver }, async (t) => {
  const { logger, lines } = collectLines();
  const server = await startControl({
    data: `${t.testdir()}/data`,
    logger,
    hosts: ['control.example.com'],
    timeouts: { headMilliseconds: 400, requestMilliseconds: 800 },
  });
  t.teardown(() => server.close());
  const { ask, url, token } = server;
  const send = (method: string, path: string, headers: Record<string, string>, body = '') => {
    const all = { Host: 'localhost', Connection: 'close', ...headers };
    const length = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const head = Object.entries({ ...all, ...length }).map(([name, value]) => `${name}: ${value}`);
    return raw(url, `${method} ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  };
  const authorization = { Authorization: `Bearer ${token}` };

  t.test('every operation needs a token, but the one that gives one', async (t) => {
    for (const { method, path, access, id } of Object.values(OPERATIONS)) {
      const concrete = path.replace(':name', 'a').replace(':id', 'a');
      const answer = await send(method, concrete, {});
      t.equal(statusOf(answer), access === 'none' ? 400 : 401, id);
      if (access !== 'none') {
        t.match(answer, /www-authenticate: bearer/i);
        t.match(bodyOf(answer), { code: 'TOKEN_MISSING', requestId: String, message: String });
      }
    }
  });

  t.test('scopes', async (t) => {
    const { body } = await ask('POST', '/v1/tokens', { name: 'reader', scopes: ['read'] });
    const reader = body.token;
    t.equal((await ask('GET', '/v1/functions', undefined, reader)).status, 200);
    t.match(await ask('PUT', '/v1/functions/a', says('x'), reader), {
      status: 403,
      body: { code: 'SCOPE_MISSING', details: { scope: 'deploy' } },
    });
    t.equal((await ask('POST', '/v1/instances', { function: 'a' }, reader)).status, 403);
    t.equal((await ask('GET', '/v1/tokens', undefined, reader)).status, 403);
    const { body: all } = await ask('GET', '/v1/tokens');
    t.same(
      all.tokens.map(({ name }: { name: string }) => name),
      ['first', 'reader'],
    );
    t.notMatch(JSON.stringify(all), 'hatchery_');
    t.equal((await ask('DELETE', `/v1/tokens/${body.id}`)).status, 204);
    t.equal((await ask('GET', '/v1/functions', undefined, reader)).status, 401);
  });

  t.test('malformed tokens', async (t) => {
    const given = ['', 'x', token.slice(0, -1), `${token}x`, 'hatchery__', '\t', 'null', '%00'];
    for (const one of given) {
      t.equal(
        statusOf(await send('GET', '/v1/functions', { Authorization: `Bearer ${one}` })),
        401,
      );
    }
    t.equal(statusOf(await send('GET', '/v1/functions', { Authorization: token })), 401);
    t.equal(statusOf(await send('GET', `/v1/functions?token=${token}`, {})), 401);
    t.equal(statusOf(await send('GET', '/v1/functions', { Cookie: `token=${token}` })), 401);
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[\x21-\x7e]{0,80}$/), async (any) => {
        const answer = await send('GET', '/v1/functions', { Authorization: `Bearer ${any}` });
        return statusOf(answer) === 401 && bodyOf(answer).code === 'TOKEN_INVALID';
      }),
      { numRuns: 50 },
    );
  });

  t.test('hosts and origins', async (t) => {
    const status = async (headers: Record<string, string>) =>
      statusOf(await send('GET', '/v1/functions', { ...authorization, ...headers }));
    for (const host of [
      'localhost',
      'LOCALHOST:1',
      '127.0.0.1:8081',
      '[::1]:1',
      'control.example.com',
    ]) {
      t.equal(await status({ Host: host }), 200, host);
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      'x.localhost',
      '',
      '127.0.0.1.',
      '0',
    ]) {
      t.match(String(await status({ Host: host })), /^(421|400)$/, host);
    }
    t.equal(await status({ Origin: 'http://localhost' }), 200);
    for (const origin of ['null', 'http://evil.example', 'http://localhost:8080', 'file://', 'x']) {
      t.equal(await status({ Origin: origin }), 403, origin);
    }
    t.equal(await status({ 'Sec-Fetch-Site': 'same-origin' }), 200);
    t.equal(await status({ 'Sec-Fetch-Site': 'same-site' }), 403, 'a page that a function serves');
    const preflight = await send('OPTIONS', '/v1/functions', {
      Origin: 'http://evil.example',
      'Access-Control-Request-Method': 'PUT',
    });
    t.notMatch(preflight, /access-control/i);
    const cookies = await send('GET', '/v1/functions', authorization);
    t.notMatch(cookies, /set-cookie|access-control/i);
  });

  t.test('bodies are JSON, of the right type and size', async (t) => {
    const body = JSON.stringify(says('x'));
    const put = (type: Record<string, string>, text = body) =>
      send('PUT', '/v1/functions/a', { ...authorization, ...type }, text);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'x',
    ]) {
      t.equal(statusOf(await put({ 'Content-Type': type })), 415, type);
    }
    t.equal(statusOf(await put({})), 415);
    const json = { 'Content-Type': 'application/json' };
    for (const text of ['{', '[]', '1', '"x"', 'null', '{"__proto__":{"a":1}}', '\ufeff{}']) {
      const answer = await put(json, text);
      t.equal(statusOf(answer), 400, text);
      t.match(bodyOf(answer), { code: String, requestId: String });
    }
    const large = await send(
      'POST',
      '/v1/tokens',
      { ...authorization, ...json },
      JSON.stringify({ name: 'x'.repeat(100_000), scopes: ['read'] }),
    );
    t.equal(statusOf(large), 413);
    t.match(bodyOf(large), { code: 'REQUEST_BODY_TOO_LARGE', details: { limit: 65_536 } });
    const endless = await raw(
      url,
      `PUT /v1/functions/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{`,
    );
    t.equal(statusOf(endless), 413, 'refused before it is read');
  });

  t.test('paths that lead elsewhere', async (t) => {
    const paths = [
      ...[
        '/',
        '/v1',
        '/v2/functions',
        '/v1/functions/',
        '/v1/functions/../tokens',
        '//v1/functions',
      ],
      ...['/v1/functions/%2e%2e', '/v1/functions/a%00', '/v1/functions/%', '/v1/functions/..%2f..'],
      ...['/v1/instances/../../etc/passwd', '/package.json', '/..%2f..%2fpackage.json'],
    ];
    for (const path of paths) {
      const answer = await send('GET', path, authorization);
      t.match(String(statusOf(answer)), /^(400|404)$/, path);
      t.match(bodyOf(answer), { code: String, message: String, requestId: String }, path);
    }
  });

  t.test('slow clients are cut off', async (t) => {
    const slowHead = await raw(url, 'GET /v1/functions HTTP/1.1\r\nHost: localhost\r\n');
    t.equal(statusOf(slowHead), 408);
    t.match(bodyOf(slowHead), { code: 'REQUEST_TIMEOUT' });
    const slowBody = await raw(
      url,
      `PUT /v1/functions/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
    );
    t.equal(statusOf(slowBody), 408);
    t.match(bodyOf(await raw(url, 'hello\r\n\r\n')), { code: 'INVALID_ARGUMENT' });
    const many = Array.from({ length: 200 }, () => raw(url, 'GET / HTTP/1.1\r\nHost: l'));
    await sleep(100);
    t.equal(
      (await ask('GET', '/v1/functions')).status,
      200,
      'others are served beside 200 of them',
    );
    await Promise.all(many);
  });

  t.test('a link lets one in, once', async (t) => {
    const { body } = await ask('POST', '/v1/links', { scopes: ['read'] });
    const follow = () =>
      send(
        'POST',
        '/v1/links/follow',
        { 'Content-Type': 'application/json' },
        JSON.stringify({ code: body.code }),
      );
    const followed = await follow();
    t.equal(statusOf(followed), 201);
    const { token: got, scopes } = bodyOf(followed);
    t.same(scopes, ['read']);
    t.equal((await ask('GET', '/v1/functions', undefined, got)).status, 200);
    t.match(bodyOf(await follow()), { code: 'LINK_INVALID' });
  });

  t.test('no token is in a log', async (t) => {
    t.notMatch(JSON.stringify(lines), token.split('_')[2] as string);
  });
});

t.test('each token has a rate of its own', { skip: noDriver }, async (t) => {
  const rate = { perSecond: 1, burst: 5 };
  const server = await startControl({ data: `${t.testdir()}/data`, rate });
  t.teardown(() => server.close());
  const { body } = await server.ask('POST', '/v1/tokens', { name: 'x', scopes: ['read'] });
  const statuses: number[] = [];
  for (let count = 0; count < 8; count += 1) {
    statuses.push((await server.ask('GET', '/v1/functions', undefined, body.token)).status);
  }
  t.equal(statuses.at(-1), 429);
  const refused = await server.ask('GET', '/v1/functions', undefined, body.token);
  t.equal(refused.headers.get('retry-after'), '1');
  t.equal((await server.ask('GET', '/v1/functions')).status, 200, 'the other one is served');
});
