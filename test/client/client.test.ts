/** The client, against a real server; and what it does with answers that are none. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as esbuild from 'esbuild';
import fc from 'fast-check';
import t from 'tap';
import { ApiError, type ControlEvent, HatcheryClient } from '../../src/client/index.js';
import { EventParser } from '../../src/client/server-sent-events.js';
import { startControl } from '../control/control-under-test.js';
import { defaultDriver, noDriver } from '../drivers/default-driver.js';

t.test('the parser of events gives the same, however the text is cut', async (t) => {
  const parser = new EventParser();
  t.same(parser.push('\ufeffid: 1\r\ndata: a\r\ndata:b\n\r: note\nid\ndata: c\r\rdata: no end'), [
    { id: '1', data: 'a\nb' },
    { id: '', data: 'c' },
  ]);
  const line = fc.constantFrom(
    'data: x',
    'data',
    'data:y',
    'id: 7',
    'id',
    ': z',
    'event: e',
    '',
    '',
    'x',
  );
  const text = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')))
    .map((lines) => lines.flat().join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(60)), (whole, cuts) => {
      const expected = new EventParser().push(`${whole}\n`);
      const pieces = new EventParser();
      const found = [];
      let at = 0;
      for (const cut of [...cuts].sort((a, b) => a - b)) {
        found.push(...pieces.push(whole.slice(at, Math.max(at, cut))));
        at = Math.max(at, cut);
      }
      found.push(...pieces.push(whole.slice(at)), ...pieces.push('\n'));
      return JSON.stringify(found) === JSON.stringify(expected);
    }),
  );
});

t.test('against a server', { skip: noDriver }, async (t) => {
  const server = await startControl({ data: `${t.testdir()}/data` });
  t.teardown(() => server.close());
  const client = new HatcheryClient({ server: `${server.url}/`, token: server.token });

  t.test('functions', async (t) => {
    const code =
      "export default { fetch(r) { console.log('got ' + r.url); return new Response('x'); } };";
    t.match(await client.functions.deploy('app', { bundle: { code } }), { version: 1 });
    await client.functions.deploy('app', { bundle: { code }, env: { A: '1' } });
    t.match(await client.functions.get('app'), { version: 2, env: { A: '1' } });
    t.match(await client.functions.rollBack('app'), { version: 1 });
    t.match(await client.functions.rollBack('app', 2), { version: 2 });
    t.equal((await client.functions.list()).length, 1);
    await fetch(`${server.front}/app/1`);
    const ending = new AbortController();
    const lines: string[] = [];
    for await (const { text } of client.functions.followLogs('app', { signal: ending.signal })) {
      lines.push(text);
      if (lines.length === 1) await fetch(`${server.front}/app/2`);
      else ending.abort();
    }
    t.match(lines, [/\/1$/, /\/2$/]);
    t.equal((await client.functions.logs('app', 1)).length, 1);
    t.match(await client.functions.request('app', { url: '/3' }), { status: 200, body: 'x' });
    t.same(await client.crashes(), []);
    await t.rejects(client.functions.get('none'), {
      ...{ name: 'ApiError', code: 'FUNCTION_MISSING', status: 404, requestId: String },
      details: { function: 'none' },
    });
  });

  t.test('instances', async (t) => {
    const { id } = await client.instances.spawn({ function: 'app' });
    t.match(await client.instances.get(id, 1_000), { state: 'ready' });
    t.match(await client.instances.request(id), { status: 200, body: 'x' });
    t.equal((await client.instances.list({ function: 'app' })).length, 1);
    const followed = (async () => {
      const lines: string[] = [];
      for await (const { text } of client.instances.followLogs(id)) lines.push(text);
      return lines;
    })();
    await client.instances.kill(id);
    t.match(await followed, [/got/]);
    const types: string[] = [];
    for await (const { type } of client.instances.events(id)) types.push(type);
    t.same(types, ['spawned', 'ready', 'served', 'killed']);
    t.equal((await client.instances.logs(id)).length, 1);
    t.same(await client.instances.list(), []);
  });

  t.test('tokens and the server', async (t) => {
    const { token, id } = await client.tokens.create({ name: 'x', scopes: ['read'] });
    const reader = new HatcheryClient({ server: server.url, token });
    t.match(await reader.server(), { driver: defaultDriver, front: server.front });
    await t.rejects(reader.tokens.list(), { code: 'SCOPE_MISSING' });
    t.equal((await client.tokens.list()).length, 2);
    await client.tokens.remove(id);
    await t.rejects(reader.server(), { code: 'TOKEN_INVALID' });
    const { code } = await client.tokens.createLink(['read']);
    const followed = await new HatcheryClient({ server: server.url }).tokens.followLink(code);
    t.same(followed.scopes, ['read']);
  });

  t.test('events', async (t) => {
    const seen: ControlEvent[] = [];
    const ending = new AbortController();
    const following = (async () => {
      for await (const event of client.events({ function: 'app', signal: ending.signal })) {
        seen.push(event);
        if (event.type === 'removed') break;
      }
    })();
    while (server.control.openStreams === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await fetch(`${server.front}/app/`);
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.functions.remove('app');
    await following;
    const requestId = seen[0]?.requestId as string;
    t.match(await client.request(requestId), {
      ...{ requestId, outcome: 'served', function: 'app', status: 200 },
      timeline: { guest: Number },
    });
    await t.rejects(client.request('none'), { code: 'REQUEST_UNKNOWN' });
    t.match(seen, [{ type: 'served', timeline: { guest: Number } }, { type: 'removed' }]);
    const aborted = client.events({ signal: ending.signal });
    ending.abort();
    t.same((await aborted.next()).done, true);
  });
});

async function answering(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('answers that are none', async (t) => {
  await t.rejects(new HatcheryClient({ server: 'http://127.0.0.1:1' }).server(), {
    ...{ code: 'UNREACHABLE', status: 0, message: /hatchery up/ },
  });
  const proxy = createServer((_, response) => response.writeHead(502).end('<html>bad gateway'));
  t.teardown(() => proxy.close());
  const client = new HatcheryClient({ server: await answering(proxy) });
  const error = await client.server().catch((thrown) => thrown);
  t.ok(error instanceof ApiError);
  t.match(error, { code: 'UNREACHABLE', status: 502 });
  await t.rejects(client.events().next(), { code: 'UNREACHABLE' });
});

t.test('a stream that breaks off goes on behind the last event', async (t) => {
  const asked: (string | undefined)[] = [];
  const flaky = createServer((request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const number = asked.length;
    response.write(`id: e-${number}\ndata: {"type":"served","at":${number}}\n\n`);
    setTimeout(() => response.destroy(), 20);
  });
  t.teardown(() => flaky.close());
  const client = new HatcheryClient({ server: await answering(flaky) });
  const times: number[] = [];
  for await (const { at } of client.events()) {
    times.push(at);
    if (at === 3) break;
  }
  t.same(times, [1, 2, 3]);
  t.same(asked, [undefined, 'e-1', 'e-2']);
});

t.test('a signal ends a stream whose response the collector has taken', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const steady = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const sending = setInterval(() => response.write('data: {"type":"served"}\n\n'), 10);
    response.once('close', () => clearInterval(sending));
  });
  t.teardown(() => {
    steady.closeAllConnections();
    steady.close();
  });
  const client = new HatcheryClient({ server: await answering(steady) });
  const ending = new AbortController();
  let count = 0;
  for await (const _ of client.events({ signal: ending.signal })) {
    count += 1;
    collect();
    if (count === 10) ending.abort();
    // Some may have been there already.
    if (count === 100) break;
  }
  t.ok(count < 100, `${count} events`);
});

t.test('it is small and needs nothing of Node’s', async (t) => {
  const entry = fileURLToPath(new URL('../../src/client/index.js', import.meta.url));
  const { outputFiles, metafile } = await esbuild.build({
    ...{ entryPoints: [entry], bundle: true, write: false, format: 'esm', platform: 'browser' },
    ...{ minify: true, metafile: true },
  });
  const inputs = Object.keys(metafile.inputs);
  t.ok(
    inputs.every((path) => path.includes('src/client/')),
    inputs.join(', '),
  );
  t.ok((outputFiles[0]?.contents.length ?? 0) < 20_000);
});
