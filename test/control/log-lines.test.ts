/** Whatever a server logs of a request has the request's id, the one that its client was told. */
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import { startControl } from './control-under-test.js';

const TALKING = `
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  console.warn('at ' + pathname);
  if (pathname === '/throw') throw new Error('no such planet');
  if (pathname === '/loop') for (;;) {}
  if (pathname === '/stall') await new Promise(() => {});
  if (pathname === '/fetch') await fetch('http://elsewhere.example/');
  if (pathname === '/cut') {
    return new Response(new ReadableStream({
      start(controller) { controller.enqueue(new TextEncoder().encode('begun')); },
      pull() { throw new Error('cut'); },
    }));
  }
  if (pathname === '/deep') { const down = () => down() + 1; down(); }
  return new Response('x');
} };`;
const PATHS = ['/', '/throw', '/loop', '/stall', '/fetch', '/cut', '/deep'];

t.test('with the id of the request', { skip: noDriver }, async (t) => {
  const { logger, lines } = collectingLogger();
  const server = await startControl({ data: `${t.testdir()}/data`, logger });
  t.teardown(() => server.close());
  const { front, ask, intake } = server;
  const source = { entry: 'a.ts', files: { 'a.ts': TALKING } };
  const { status } = await ask('PUT', '/v1/functions/app', {
    ...{ source, limits: { wallMilliseconds: 200 }, allowFetch: ['allowed.example'] },
  });
  t.equal(status, 200);
  const { body: spawned } = await ask('POST', '/v1/instances', { function: 'app' });
  lines.splice(0);

  for (const path of PATHS) {
    await t.test(path, async (t) => {
      const response = await fetch(`${front}/app${path}`);
      await response.text().catch(() => {});
      const id = response.headers.get('x-request-id');
      const logged = lines.splice(0);
      t.ok(logged.length > 0);
      t.same(new Set(logged.map(({ requestId }) => requestId)), new Set([id]));
    });
  }

  t.equal(spawned.state, 'ready');
  for (const path of ['/', '/throw']) {
    await t.test(`of an instance: ${path}`, async (t) => {
      const { headers, body } = await ask('POST', `/v1/instances/${spawned.id}/requests`, {
        url: path,
      });
      const id = headers.get('x-request-id');
      t.equal(body.requestId, id);
      const logged = lines.splice(0);
      t.ok(logged.length > 0);
      t.same(new Set(logged.map(({ requestId }) => requestId)), new Set([id]));
      t.match((await ask('GET', `/v1/requests/${id}`)).body, { requestId: id, function: 'app' });
    });
  }

  await t.test('of the API itself', async (t) => {
    const { headers, body } = await ask('POST', '/v1/instances', { image: 'no-such-image' });
    t.equal(body.requestId, headers.get('x-request-id'));
    for (const { requestId } of lines.splice(0)) {
      t.equal(requestId, body.requestId);
    }
  });

  t.ok(
    intake.logs.tail('app', 100).every(({ requestId }) => requestId !== undefined),
    'and in the logs of the function',
  );
});
