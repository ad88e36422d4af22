/** Events as they happen: resumed, filtered, and given up where the reader is too slow. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { EventLog } from '../../src/control/events/event-log.js';
import { MAIN, Served } from '../cli/command.js';
import { noDriver } from '../drivers/default-driver.js';
import { until } from '../supervisor/functions.js';
import { readEvents, says, startControl } from './control-under-test.js';

t.test('a log of events', async (t) => {
  const log = new EventLog(3);
  const at = (count: number) => log.append({ type: 'served', at: count });
  const heard: number[] = [];
  const stop = log.listen(({ event }) => heard.push(event.at));
  for (let count = 1; count <= 5; count += 1) {
    at(count);
  }
  stop();
  at(6);
  t.same(heard, [1, 2, 3, 4, 5]);
  const times = (given: ReturnType<EventLog['since']>) => given.events.map(({ event }) => event.at);
  t.same(
    log.all().map(({ event }) => event.at),
    [4, 5, 6],
  );
  const [fourth] = log.all();
  t.same(log.since(fourth?.id ?? ''), { events: log.all().slice(1) });
  const [epoch] = (fourth?.id ?? '').split('-');
  t.same(times(log.since(`${epoch}-6`)), []);
  t.match(log.since(`${epoch}-1`), { lost: 2 });
  t.same(times(log.since(`${epoch}-1`)), [4, 5, 6]);
  t.match(log.since('00000000-6'), { lost: 0, events: { length: 3 } }, 'of an earlier process');
  for (const id of [
    '',
    '-',
    `${epoch}-`,
    `${epoch}-x`,
    `${epoch}-${'9'.repeat(30)}`,
    `${epoch}--1`,
  ]) {
    t.equal(log.since(id).events.length, 3, id);
  }
  t.same(log.since(`${epoch}-999`).events, [], 'one that has not happened yet');
});

t.test('streams', { skip: noDriver }, async (t) => {
  const streams = { streams: 5, unreadBytes: 50_000, heartbeatMilliseconds: 100 };
  const server = await startControl({ data: `${t.testdir()}/data`, streams });
  t.teardown(() => server.close());
  const { ask, url, token, front, intake } = server;
  const follow = (query = '', headers: Record<string, string> = {}, as = token) =>
    fetch(`${url}/v1/events${query}`, { headers: { authorization: `Bearer ${as}`, ...headers } });
  const open = async (...given: Parameters<typeof follow>) => {
    const response = await follow(...given);
    const events = readEvents(response);
    return {
      response,
      next: async () => (await events.next()).value,
      close: () => events.return(undefined),
    };
  };

  t.test('tell what happens, and go on where they were', async (t) => {
    const first = await open();
    t.equal(first.response.headers.get('content-type'), 'text/event-stream');
    await ask('PUT', '/v1/functions/app', {
      source: {
        entry: 'a.ts',
        files: {
          'a.ts': `export default { fetch(request) {
            if (request.url.endsWith('/throw')) throw new Error('no such planet');
            if (request.url.endsWith('/loop')) for (;;) {}
            return new Response('x');
          } };`,
        },
      },
      limits: { wallMilliseconds: 100 },
    });
    const deployed = await first.next();
    t.match(deployed?.data, { type: 'deployed', function: 'app', version: 1 });
    await fetch(`${front}/app/`);
    const served = await first.next();
    t.match(served?.data, {
      ...{ type: 'served', function: 'app', method: 'GET', status: 200, requestId: String },
      timeline: { guest: Number, reply: Number },
    });
    await first.close();
    await fetch(`${front}/app/throw`);
    await fetch(`${front}/app/loop`);
    await fetch(`${front}/none/`);
    await until(() => intake.events.all().length >= 5);
    const again = await open('', { 'last-event-id': served?.id as string });
    t.match((await again.next())?.data, { type: 'crashed', where: /no such planet[\s\S]*a\.ts:2/ });
    t.match((await again.next())?.data, {
      type: 'killed',
      code: 'DEADLINE_EXCEEDED',
      reason: String,
    });
    t.match((await again.next())?.data, { type: 'refused', code: 'FUNCTION_MISSING', status: 404 });
    await again.close();
    const stranger = await open('', { 'last-event-id': 'deadbeef-1' });
    t.match((await stranger.next())?.data, { type: 'lost' });
    t.match((await stranger.next())?.data, { type: 'deployed' });
    await stranger.close();
    const other = await open('?function=other');
    await fetch(`${front}/app/`);
    await ask('PUT', '/v1/functions/other', says('y'));
    t.match((await other.next())?.data, { type: 'deployed', function: 'other' });
    await other.close();
  });

  t.test('end with their token', async (t) => {
    const { body } = await ask('POST', '/v1/tokens', { name: 'x', scopes: ['read'] });
    const stream = await open('', {}, body.token);
    await ask('DELETE', `/v1/tokens/${body.id}`);
    t.equal(await stream.next().catch(() => undefined), undefined);
  });

  t.test('a reader that does not read is cut off', async (t) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
    );
    socket.once('data', () => socket.pause());
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    await until(() => socket.bytesRead > 0);
    const text = 'x'.repeat(10_000);
    for (let count = 0; count < 2_000; count += 1) {
      intake.events.append({ type: 'served', at: count, reason: text });
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    await closed;
    t.pass('its connection is closed');
    const stream = await open();
    await ask('PUT', '/v1/functions/other', says('z'));
    t.match((await stream.next())?.data, { type: 'deployed' }, 'another one gets what happens');
    await stream.close();
  });

  t.test('logs are followed', async (t) => {
    const code =
      "export default { fetch(r) { console.warn('at ' + r.url); return new Response(); } };";
    await ask('PUT', '/v1/functions/logs', { bundle: { code } });
    await fetch(`${front}/logs/one`);
    await until(() => intake.logs.tail('logs', 1).length === 1);
    const response = await fetch(`${url}/v1/functions/logs/logs/follow`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const lines = readEvents(response);
    t.match((await lines.next()).value?.data, { level: 'warn', text: /\/one$/ });
    await fetch(`${front}/logs/two`);
    t.match((await lines.next()).value?.data, { level: 'warn', text: /\/two$/ });
    await ask('PUT', '/v1/functions/gone', says('x'));
    const ending = await fetch(`${url}/v1/functions/gone/logs/follow`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await ask('DELETE', '/v1/functions/gone');
    t.equal((await readEvents(ending).next()).done, true, 'until the function is removed');
    await lines.return(undefined);
    t.match((await ask('GET', '/v1/functions/logs/logs?tail=1')).body.lines, [{ text: /two$/ }]);
    t.equal((await ask('GET', '/v1/functions/logs/logs?tail=-1')).status, 400);
    t.equal((await ask('GET', '/v1/functions/none/logs')).status, 404);
    t.equal((await ask('GET', '/v1/functions/none/logs/follow')).status, 404);
  });
});

const CLIENTS = 10_000;
/** A stream costs a server some 20 KiB; this is far more, and far less than no bound. */
const MOST_GROWTH = 512 * 1024 * 1024;

/** Bytes of memory that a process has. */
function memoryOf(processId: number): number {
  const [, kib = '0'] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? [];
  return Number(kib) * 1024;
}

t.test('10,000 idle streams', { skip: noDriver }, async (t) => {
  // In a process of its own, with descriptors of its own.
  const data = `${t.testdir()}/data`;
  const server = new Served(['--control-port', '0', '--data', data], {}, [MAIN], 'up');
  t.teardown(() => server.stop());
  const { control } = await server.next('listening');
  const port = Number(new URL(String(control)).port);
  const token = readFileSync(`${data}/token`, 'utf8').trim();
  const before = memoryOf(server.processId);
  const statuses = { '200': 0, '503': 0, other: 0 };
  const sockets: Socket[] = [];
  const openOne = () =>
    new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          `GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
        ),
      );
      sockets.push(socket);
      socket.on('error', () => resolve());
      socket.once('data', (chunk) => {
        const status = String(chunk).slice(9, 12) as '200' | '503';
        statuses[status in statuses ? status : 'other'] += 1;
        resolve();
      });
    });
  for (let opened = 0; opened < CLIENTS; opened += 100) {
    await Promise.all(Array.from({ length: 100 }, openOne));
  }
  t.equal(statuses['200'] + statuses['503'] + statuses.other, CLIENTS, 'each was answered');
  t.ok(statuses['200'] > 0 && statuses['200'] <= 1_024, `${statuses['200']} are open`);
  t.ok(memoryOf(server.processId) - before < MOST_GROWTH, 'memory is bounded');
  const list = () =>
    fetch(`${control}/v1/functions`, { headers: { authorization: `Bearer ${token}` } });
  let status = 429;
  for (let tries = 0; status === 429 && tries < 100; tries += 1) {
    status = (await list()).status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.equal(status, 200, 'others are served beside them');
  for (const socket of sockets) {
    socket.destroy();
  }
});
