/** The spawn API: instances by HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { InstanceRecord } from '../../src/control/instances/instance-record.js';
import { defaultDriver, defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { until } from '../supervisor/functions.js';
import { readEvents, startControl } from './control-under-test.js';
import { WRONG_REQUESTS } from './wrong-requests.js';

const COUNTS = `
  let count = 0;
  export default {
    async fetch(request) {
      count += 1;
      const { pathname } = new URL(request.url);
      if (pathname === '/wait') await new Promise((resolve) => setTimeout(resolve, 400));
      if (pathname === '/crash') throw new Error('no such planet');
      if (pathname === '/loop') for (;;) {}
      if (pathname === '/bytes') return new Response(new Uint8Array([255, 0]));
      console.log('count is ' + count);
      return Response.json({ count, method: request.method, url: request.url,
        x: request.headers.get('x-test'), body: await request.text() });
    },
  };`;

const OPTIONS = {
  ...{ id: 'i', function: 'f', image: undefined, driver: 'kvm', lifetime: undefined, idle: 60_000 },
  onOver: () => {},
};

t.test('a report that comes before its waiter is not lost', async (t) => {
  // The record's own timers keep no process alive.
  const alive = setInterval(() => {}, 60_000);
  t.teardown(() => clearInterval(alive));
  const record = new InstanceRecord(OPTIONS);
  record.ready({ strategy: 'reset', coldStart: { create: 1 } });
  await record.whenStarted();
  await record.waitFor(60_000);
  t.match(record.facts(), { state: 'ready', readyAt: String, timeline: { create: 1 } });
  const late = new InstanceRecord(OPTIONS);
  const waiting = late.waitFor(60_000);
  await late.waitFor(1);
  t.match(late.facts(), { state: 'starting' });
  late.ready({ strategy: 'reset', coldStart: {} });
  await waiting;
  t.match(late.facts(), { state: 'ready' });
});

for (const workers of [0, 1]) {
  t.test(`instances with ${workers} workers`, { skip: noDriver }, async (t) => {
    const server = await startControl({ data: `${t.testdir()}/data`, workers });
    t.teardown(() => server.close());
    const { ask, url, token, intake } = server;
    const limits = { wallMilliseconds: 1_000 };
    await ask('PUT', '/v1/functions/app', { bundle: { code: COUNTS }, limits });
    const spawn = async (body: object) => (await ask('POST', '/v1/instances', body)).body;
    const send = (id: string, body: object) => ask('POST', `/v1/instances/${id}/requests`, body);

    t.test('keep their state from request to request', async (t) => {
      const { status, body: spawned } = await ask('POST', '/v1/instances', { function: 'app' });
      t.equal(status, 201);
      t.match(spawned, {
        ...{
          id: String,
          state: 'ready',
          function: 'app',
          driver: defaultDriver,
          strategy: defaultStrategy,
        },
        ...{ requests: 0, timeline: { create: Number } },
      });
      const first = await send(spawned.id, {});
      t.match(first.body, { status: 200, requestId: String, timeline: { guest: Number } });
      t.match(JSON.parse(first.body.body), { count: 1, method: 'GET', url: 'http://instance/' });
      const second = await send(spawned.id, {
        ...{ method: 'POST', url: '/a?b=c', headers: [['X-Test', 'yes']], body: 'ünï' },
      });
      t.match(JSON.parse(second.body.body), { count: 2, x: 'yes', body: 'ünï', method: 'POST' });
      const bytes = await send(spawned.id, {
        url: 'http://h/bytes',
        method: 'PUT',
        bodyBase64: '/wA=',
      });
      t.match(bytes.body, { bodyBase64: '/wA=' });
      t.match((await ask('GET', `/v1/instances/${spawned.id}`)).body, { requests: 3 });
      await until(() => intake.logs.tail(spawned.id, 9).length === 2);
      const { body: logs } = await ask('GET', `/v1/instances/${spawned.id}/logs`);
      t.same(
        logs.lines.map(({ text }: { text: string }) => text),
        ['count is 1', 'count is 2'],
      );
      t.equal((await ask('DELETE', `/v1/instances/${spawned.id}`)).status, 204);
      t.match(await send(spawned.id, {}), { status: 410, body: { code: 'INSTANCE_GONE' } });
      t.equal((await ask('DELETE', `/v1/instances/${spawned.id}`)).status, 410);
      t.match((await ask('GET', `/v1/instances/${spawned.id}`)).body, {
        ...{ state: 'ended', reason: 'it was killed', endedAt: String },
      });
      t.same((await ask('GET', '/v1/instances')).body, { instances: [] });
      t.equal((await ask('GET', '/v1/instances?ended=true')).body.instances.length, 1);
      const events = readEvents(
        await fetch(`${url}/v1/instances/${spawned.id}/events`, {
          headers: { authorization: `Bearer ${token}` },
        }),
      );
      const types: unknown[] = [];
      for await (const { data } of events) {
        types.push(data.type);
      }
      t.same(types, ['spawned', 'ready', 'served', 'served', 'served', 'killed'], 'and it ends');
    });

    t.test('are ended when nobody uses them, or their time is over', async (t) => {
      const idle = await spawn({ function: 'app', idleMilliseconds: 250 });
      const used = await spawn({ function: 'app', idleMilliseconds: 250 });
      const brief = await spawn({ function: 'app', shutdownAfterMilliseconds: 100 });
      t.match((await send(used.id, { url: '/wait' })).body, { status: 200 }, 'it serves: not idle');
      const facts = async (id: string) => (await ask('GET', `/v1/instances/${id}`)).body;
      t.match(await facts(idle.id), { state: 'ended', reason: 'it had no request for 250 ms' });
      t.match(await facts(brief.id), { state: 'ended', reason: 'its time of 100 ms was over' });
      await sleep(400);
      t.match(await facts(used.id), { state: 'ended', reason: 'it had no request for 250 ms' });
    });

    t.test('need not be waited for', async (t) => {
      const { id, state } = await spawn({ function: 'app', wait: false });
      t.match(state, /starting|ready/);
      const { body } = await ask('GET', `/v1/instances/${id}?waitMilliseconds=10000`);
      t.equal(body.state, 'ready');
      t.equal((await send(id, {})).status, 200);
      const other = await spawn({ function: 'app', wait: false });
      t.equal((await send(other.id, {})).status, 200, 'a request waits by itself');
      await Promise.all([id, other.id].map((one) => ask('DELETE', `/v1/instances/${one}`)));
    });

    t.test('of images and with memory of their own', async (t) => {
      const image = await spawn({ image: 'hello', commandLine: ['greeting=x'] });
      t.match(image, { state: 'ready', image: 'hello' });
      t.equal(image.function, undefined);
      t.match((await send(image.id, {})).body, { status: 200, body: /hello/ });
      const large = await spawn({ function: 'app', memoryBytes: 128 << 20 });
      t.match(JSON.parse((await send(large.id, {})).body.body), { count: 1 });
      await Promise.all([image.id, large.id].map((one) => ask('DELETE', `/v1/instances/${one}`)));
    });

    t.test('that fail say where', async (t) => {
      const { id } = await spawn({ function: 'app' });
      t.match(await send(id, { url: '/crash' }), { status: 500, body: { code: 'FUNCTION_THREW' } });
      t.match(await send(id, { url: '/loop' }), {
        status: 504,
        body: { code: 'DEADLINE_EXCEEDED' },
      });
      t.match((await send(id, {})).status, 410);
      await until(() =>
        intake.events.all().some(({ event }) => event.instance === id && event.type === 'crashed'),
      );
      t.match(
        intake.events.all().find(({ event }) => event.instance === id && event.type === 'crashed'),
        { event: { where: /no such planet/, function: 'app' } },
      );
    });

    t.test('orders that cannot be filled', async (t) => {
      const wrong: [object, number, string][] = [
        [{}, 400, 'CONFIGURATION_INVALID'],
        [{ function: 'app', image: 'hello' }, 400, 'CONFIGURATION_INVALID'],
        [{ function: 'none' }, 404, 'FUNCTION_MISSING'],
        [{ image: 'none' }, 503, 'IMAGE_MISSING'],
        [{ image: 'js' }, 400, 'CONFIGURATION_INVALID'],
        [{ image: '/etc/passwd' }, 400, 'CONFIGURATION_INVALID'],
        [{ function: 'app', commandLine: ['a=b'] }, 400, 'CONFIGURATION_INVALID'],
        [{ image: 'hello', commandLine: ['hatchery.port=1'] }, 400, 'CONFIGURATION_INVALID'],
        [{ function: 'app', memoryBytes: 1 }, 400, 'CONFIGURATION_INVALID'],
        [{ function: 'app', lifetime: 1 }, 400, 'CONFIGURATION_INVALID'],
      ];
      for (const [body, status, code] of wrong) {
        t.match(
          await ask('POST', '/v1/instances', body),
          { status, body: { code } },
          JSON.stringify(body),
        );
      }
      const { id } = await spawn({ function: 'app' });
      for (const body of WRONG_REQUESTS) {
        t.match(
          await send(id, body),
          { status: 400, body: { code: 'CONFIGURATION_INVALID' } },
          JSON.stringify(body),
        );
      }
      t.equal((await send(id, {})).status, 200);
      await ask('DELETE', `/v1/instances/${id}`);
      t.equal((await ask('GET', '/v1/instances/i-none')).status, 404);
      const all = await Promise.all(
        Array.from({ length: 9 }, () => ask('POST', '/v1/instances', { function: 'app' })),
      );
      const statuses = all.map(({ status }) => status).sort();
      t.same(statuses, [...Array(8).fill(201), 503], 'no more than the server allows');
      t.match(all.find(({ status }) => status === 503)?.body, { code: 'OVERLOADED' });
    });
  });
}
