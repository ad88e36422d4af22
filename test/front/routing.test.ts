/** Which function a request goes to, by its host and by its path. */
import fc from 'fast-check';
import t from 'tap';
import { DEFAULT_LIMITS } from '../../src/fabric/limits.js';
import type { FunctionRequest } from '../../src/fabric/message.js';
import { startFront } from '../../src/front/front.js';
import type { Answered } from '../../src/front/observer.js';
import { RoutesByName } from '../../src/front/routing.js';
import { pairs, replyWith } from './fake.js';
import { exchange, jsonOf, lines, statusesOf } from './http.js';

const BOUND: Readonly<Record<string, string>> = { 'shop.example.com': 'shop' };

function answering(name: string, maxHeaders = DEFAULT_LIMITS.maxHeaders) {
  return {
    limits: { ...DEFAULT_LIMITS, maxHeaders },
    handle: async ({ url, headers }: FunctionRequest) =>
      replyWith(JSON.stringify({ name, url, headers: pairs(headers) })),
  };
}

const ALL = new Map([
  ['app', answering('app')],
  ['shop', answering('shop', 5)],
]);
const FUNCTIONS = {
  function: (name: string) => ALL.get(name),
  functions: () => ALL.values(),
  boundTo: (host: string) => BOUND[host],
};

t.test('a front for all functions', async (t) => {
  const answered: Answered[] = [];
  const front = await startFront(FUNCTIONS, {
    trustProxy: ['127.0.0.1'],
    observer: (one) => answered.push(one),
  });
  t.teardown(() => front.drain(0));
  const ask = (path: string, host: string, ...more: string[]) =>
    exchange(front.url, lines(`GET ${path} HTTP/1.1`, `Host: ${host}`, ...more));

  const expected: [string, string, string, string | undefined, string | undefined][] = [
    ['/app/a/b?c=/d', 'h', 'http://h/a/b?c=/d', 'app', '/app'],
    ['/app', 'h', 'http://h/', 'app', '/app'],
    ['/app?x=1', 'h', 'http://h/?x=1', 'app', '/app'],
    ['/app//x', 'h:81', 'http://h:81//x', 'app', '/app'],
    ['/shop/x', 'app.localhost:8080', 'http://app.localhost:8080/shop/x', 'app', undefined],
    ['/app/x', 'APP.LOCALHOST', 'http://app.localhost/app/x', 'app', undefined],
    ['/app/x', 'shop.example.com.', 'http://shop.example.com./app/x', 'shop', undefined],
    ['/x', 'shop.example.com', 'http://shop.example.com/x', 'shop', undefined],
    ['/app/x', '[::1]:80', 'http://[::1]/x', 'app', '/app'],
    ['/shop/../app/x', 'h', 'http://h/x', 'app', '/app'],
  ];
  for (const [path, host, url, name, prefix] of expected) {
    const answer = jsonOf(await ask(path, host)) as unknown as {
      name: string;
      url: string;
      headers: [string, string][];
    };
    t.same({ name: answer.name, url: answer.url }, { name, url }, `${host} ${path}`);
    const [, found] = answer.headers.find(([header]) => header === 'x-forwarded-prefix') ?? [];
    t.equal(found, prefix, `the prefix of ${host} ${path}`);
  }

  const missing: [string, string, string][] = [
    ['/', 'h', 'ROUTE_MISSING'],
    ['/none/x', 'h', 'FUNCTION_MISSING'],
    ['/ap%70/x', 'h', 'FUNCTION_MISSING'],
    ['/__proto__/x', 'h', 'FUNCTION_MISSING'],
    ['/app/', 'none.localhost', 'FUNCTION_MISSING'],
    ['/app/', 'a.app.localhost', 'FUNCTION_MISSING'],
  ];
  for (const [path, host, code] of missing) {
    const answer = await ask(path, host);
    t.strictSame(statusesOf(answer), [404], `${host} ${path}`);
    t.match(jsonOf(answer), { code, requestId: String });
  }

  const nested = jsonOf(await ask('/app/x', 'h', 'X-Forwarded-Prefix: /outer/'));
  t.match(JSON.stringify(nested), '["x-forwarded-prefix","/outer/app"]');

  const many = Array.from({ length: 10 }, (_, index) => `H${index}: x`);
  t.strictSame(statusesOf(await ask('/shop/', 'h', ...many)), [431], 'each has its own limits');
  t.strictSame(statusesOf(await ask('/app/', 'h', ...many)), [200]);

  t.match(answered[0], { function: 'app', method: 'GET', status: 200, error: undefined });
  const refused = answered.find(({ status }) => status === 431);
  t.match(refused, { error: { code: 'REQUEST_HEAD_TOO_LARGE' } });
  t.equal(answered.length, expected.length + missing.length + 3, 'the observer is told of each');
});

t.test('whatever the URL is, it goes to one that is named or to none', async () => {
  const routes = new RoutesByName(FUNCTIONS);
  const url = fc
    .tuple(fc.constantFrom('app.localhost', 'h', 'shop.example.com', '[::1]'), fc.webPath())
    .map(([host, path]) => new URL(`http://${host}${path === '' ? '/' : path}`).href);
  fc.assert(
    fc.property(url, (any) => {
      try {
        const { name, url: inner, prefix } = routes.route(any);
        const { origin } = new URL(any);
        return (
          ALL.has(name) &&
          (inner === undefined || (inner.startsWith(`${origin}/`) && prefix === `/${name}`))
        );
      } catch (error) {
        return ['FUNCTION_MISSING', 'ROUTE_MISSING'].includes((error as { code: string }).code);
      }
    }),
  );
});

t.test('the path / is for the root function, and nothing else is', async (t) => {
  const front = await startFront(FUNCTIONS, { rootFunction: 'app' });
  t.teardown(() => front.drain(0));
  const ask = (path: string, host = 'h') =>
    exchange(front.url, lines(`GET ${path} HTTP/1.1`, `Host: ${host}`));
  for (const [path, url] of [
    ['/', 'http://h/'],
    ['/?name=x', 'http://h/?name=x'],
    ['http://h', 'http://h/'],
    ['/a/..', 'http://h/'],
  ] as const) {
    const answer = await ask(path);
    t.match(jsonOf(answer), { name: 'app', url }, path);
    t.notMatch(JSON.stringify(jsonOf(answer)), 'x-forwarded-prefix', 'nothing was taken off');
  }
  t.match(jsonOf(await ask('/', 'shop.example.com')), { name: 'shop' }, 'a host name comes first');
  t.match(jsonOf(await ask('/shop/')), { name: 'shop' });
  t.match(jsonOf(await ask('//x')), { code: 'ROUTE_MISSING' });
  t.match(jsonOf(await ask('/x')), { code: 'FUNCTION_MISSING' });

  const gone = await startFront(FUNCTIONS, { rootFunction: 'none' });
  t.teardown(() => gone.drain(0));
  const answer = await exchange(gone.url, lines('GET / HTTP/1.1', 'Host: h'));
  t.match(jsonOf(answer), { code: 'FUNCTION_MISSING' });
});

t.test('a front that cannot route by name must be given one', async (t) => {
  await t.rejects(startFront({ function: () => answering('app') }, {}), {
    code: 'INVALID_ARGUMENT',
  });
});
