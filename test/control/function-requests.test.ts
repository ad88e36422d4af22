/** Requests to functions by the API, and the crashes that are remembered. */
import t from 'tap';
import { KEPT_CRASHES } from '../../src/api/event-operations.js';
import { EventLog } from '../../src/control/events/event-log.js';
import { noDriver } from '../drivers/default-driver.js';
import { until } from '../supervisor/functions.js';
import { startControl } from './control-under-test.js';
import { WRONG_REQUESTS } from './wrong-requests.js';

const TELLS = `
  let count = 0;
  export default {
    async fetch(request) {
      count += 1;
      const { pathname } = new URL(request.url);
      if (pathname === '/crash') throw new Error('no such planet');
      if (pathname === '/loop') for (;;) {}
      if (pathname === '/bytes') return new Response(new Uint8Array([255, 0]));
      if (pathname === '/large') return new Response('x'.repeat(9 << 20));
      return Response.json({ count, method: request.method, url: request.url,
        x: request.headers.get('x-test'), body: await request.text() });
    },
  };`;

for (const workers of [0, 2]) {
  t.test(`requests to functions with ${workers} workers`, { skip: noDriver }, async (t) => {
    const server = await startControl({ data: `${t.testdir()}/data`, workers });
    t.teardown(() => server.close());
    const { ask, intake } = server;
    const limits = {
      ...{ wallMilliseconds: 2_000, cpuMilliseconds: 500, maxRequestBodyBytes: 1_000 },
      ...{ maxResponseBodyBytes: 16 << 20, maxHeaders: 20, memoryBytes: 128 << 20 },
    };
    const deployed = await ask('PUT', '/v1/functions/app', { bundle: { code: TELLS }, limits });
    t.equal(deployed.status, 200, JSON.stringify(deployed.body));
    const send = (body: object, name = 'app', token?: string) =>
      ask('POST', `/v1/functions/${name}/requests`, body, token);

    t.test('are answered, each by an instance of its own', async (t) => {
      const first = await send({});
      t.match(first, {
        status: 200,
        body: { status: 200, requestId: String, timeline: { guest: Number, spawn: Number } },
      });
      t.match(JSON.parse(first.body.body), {
        count: 1,
        method: 'GET',
        url: 'http://app.localhost/',
      });
      const second = await send({
        ...{ method: 'POST', url: '/a?b=c', headers: [['X-Test', 'yes']], body: 'ünï' },
      });
      t.match(JSON.parse(second.body.body), {
        ...{ count: 1, x: 'yes', body: 'ünï', method: 'POST', url: 'http://app.localhost/a?b=c' },
      });
      t.match((await send({ url: '/bytes' })).body, { bodyBase64: '/wA=' });
      const { requestId } = first.body;
      t.match((await ask('GET', `/v1/requests/${requestId}`)).body, {
        ...{ requestId, outcome: 'served', function: 'app', status: 200 },
      });
      await until(() => intake.events.all().some(({ event }) => event.requestId === requestId));
    });

    t.test('fail as they would by the front, and their crashes are remembered', async (t) => {
      const crashed = await send({ url: '/crash' });
      t.match(crashed, { status: 500, body: { code: 'FUNCTION_THREW', requestId: String } });
      t.match((await ask('GET', `/v1/requests/${crashed.body.requestId}`)).body, {
        ...{ outcome: 'crashed', where: /no such planet/ },
      });
      t.match(await send({ url: '/loop' }), { status: 504 });
      t.match(await send({ url: '/large' }), {
        status: 502,
        body: { code: 'RESPONSE_BODY_TOO_LARGE', details: { limit: 8 << 20 } },
      });
      await fetch(`${server.front}/app/crash`);
      await until(() => intake.events.crashes.length === 2);
      const { body } = await ask('GET', '/v1/crashes');
      t.match(body.crashes, [
        { type: 'crashed', function: 'app', where: /no such planet/, requestId: String },
        { type: 'crashed', function: 'app', where: /no such planet/ },
      ]);
    });

    t.test('that nobody can answer', async (t) => {
      for (const body of WRONG_REQUESTS) {
        t.match(
          await send(body),
          { status: 400, body: { code: 'CONFIGURATION_INVALID' } },
          JSON.stringify(body),
        );
      }
      t.match(await send({ method: 'POST', body: 'x'.repeat(1_001) }), {
        status: 413,
        body: { code: 'REQUEST_BODY_TOO_LARGE' },
      });
      const headers = Array.from({ length: 21 }, (_, index) => [`x-${index}`, 'y']);
      t.match(await send({ headers }), { status: 431, body: { code: 'REQUEST_HEAD_TOO_LARGE' } });
      t.match(await send({}, 'none'), { status: 404, body: { code: 'FUNCTION_MISSING' } });
      t.match(await send({}, 'A_B'), { status: 400, body: { code: 'CONFIGURATION_INVALID' } });
      const { body: reader } = await ask('POST', '/v1/tokens', { name: 'r', scopes: ['read'] });
      t.match(await send({}, 'app', reader.token), {
        status: 403,
        body: { code: 'SCOPE_MISSING' },
      });
      t.equal((await send({})).status, 200);
    });
  });
}

t.test('crashes are not displaced by what is served', async (t) => {
  const log = new EventLog(10);
  for (let at = 0; at < KEPT_CRASHES + 5; at += 1) {
    log.append({ type: 'crashed', at });
  }
  for (let at = 0; at < 50; at += 1) {
    log.append({ type: 'served', at });
  }
  t.equal(log.crashes.length, KEPT_CRASHES);
  t.equal(log.crashes[0]?.at, 5, 'the oldest go first');
  t.equal(log.crashes.at(-1)?.at, KEPT_CRASHES + 4);
});
