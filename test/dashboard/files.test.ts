/** The dashboard's files, as the control port gives them to browsers. */
import { connect } from 'node:net';
import Fastify from 'fastify';
import t from 'tap';
import { serveDashboard } from '../../src/control/http/dashboard-files.js';
import { HatcheryError } from '../../src/errors.js';
import { startControl } from '../control/control-under-test.js';
import { noDriver } from '../drivers/default-driver.js';

t.test('files', { skip: noDriver }, async (t) => {
  const server = await startControl({ data: `${t.testdir()}/data` });
  t.teardown(() => server.close());
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(server.url + path, { headers, redirect: 'manual' });

  t.test('need no token, and say what a browser may do with them', async (t) => {
    const types = {
      '/dashboard/': 'text/html; charset=utf-8',
      '/dashboard/dashboard.mjs': 'text/javascript; charset=utf-8',
      '/dashboard/dashboard.css': 'text/css; charset=utf-8',
    };
    for (const [path, type] of Object.entries(types)) {
      const response = await get(path);
      t.equal(response.status, 200, path);
      t.ok((await response.arrayBuffer()).byteLength > 100);
      const header = (name: string) => response.headers.get(name);
      t.equal(header('content-type'), type);
      const policy = header('content-security-policy') ?? '';
      for (const rule of [
        ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
        ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
        ...["require-trusted-types-for 'script'", "trusted-types 'none'"],
      ]) {
        t.ok(policy.split('; ').includes(rule), rule);
      }
      t.notMatch(policy, /unsafe|http|\*/);
      t.equal(header('x-content-type-options'), 'nosniff');
      t.equal(header('referrer-policy'), 'no-referrer');
      t.equal(header('cross-origin-opener-policy'), 'same-origin');
      t.equal(header('cross-origin-resource-policy'), 'same-origin');
      t.equal(header('cache-control'), 'no-cache');
      t.equal(header('set-cookie'), null);
      t.equal(header('access-control-allow-origin'), null);
    }
  });

  t.test('are sent once to who has them', async (t) => {
    const tag = (await get('/dashboard/dashboard.mjs')).headers.get('etag') as string;
    t.match(tag, /^"[\w-]{43}"$/);
    const again = await get('/dashboard/dashboard.mjs', { 'if-none-match': tag });
    t.equal(again.status, 304);
    t.equal(await again.text(), '');
    t.equal(again.headers.get('etag'), tag);
    t.equal((await get('/dashboard/dashboard.mjs', { 'if-none-match': '"x"' })).status, 200);
  });

  t.test('are those, and no others', async (t) => {
    const moved = await get('/dashboard');
    t.equal(moved.status, 308);
    t.equal(moved.headers.get('location'), '/dashboard/');
    for (const path of [
      ...[
        '/dashboard/LICENCES',
        '/dashboard/index.html',
        '/dashboard/%2e%2e/token',
        '/dashboard/x',
      ],
      ...['/dashboard/dashboard.mjs/', '/dashboard//dashboard.mjs', '/dashboard/..%2f..%2ftoken'],
    ]) {
      const response = await get(path);
      t.match(String(response.status), /^40[04]$/, path);
      t.match(await response.json(), { code: String });
    }
    t.equal((await fetch(`${server.url}/dashboard/`, { method: 'POST' })).status, 404);
  });

  t.test('are given to no page of another host', async (t) => {
    t.equal((await get('/dashboard/', { 'sec-fetch-site': 'cross-site' })).status, 403);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
      socket.write('GET /dashboard/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    });
    t.match(answer, /^HTTP\/1\.1 421 /);
  });
});

t.test('where they have not been built, the answer says so', async (t) => {
  const server = Fastify();
  t.teardown(() => server.close());
  server.setErrorHandler((error, _, reply) => {
    const { status, message } = HatcheryError.from(error);
    return reply.code(status).send(message);
  });
  serveDashboard(server, new URL('file:///nonexistent/'));
  const { statusCode, body } = await server.inject('/dashboard/');
  t.equal(statusCode, 503);
  t.match(body, 'npm run build');
});
