/** Spans of real requests, from the front through a function to where it fetches, at a receiver. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { HatcheryClient } from '../../src/client/index.js';
import { MAIN, Served } from '../cli/command.js';
import { defaultDriver, defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { Receiver } from './receiver.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

/** Answers what it got of the trace, or fails, as it is asked. */
const FUNCTION = `
export default {
  async fetch(request: Request, env: Record<string, string>) {
    const url = new URL(request.url);
    if (url.pathname.endsWith('/throws')) {
      throw new TypeError('no ' + (env.SECRET ?? 'planet'));
    }
    const fetched = url.searchParams.get('fetch');
    const headers = Object.fromEntries(request.headers);
    const { traceparent, tracestate } = headers;
    const onward = fetched === null ? undefined : await (await fetch(fetched)).json();
    return Response.json({ traceparent, tracestate, onward });
  },
};`;

interface Told {
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly onward?: Told;
}

/** What a function fetches from: it tells what came with the request. */
async function openOnward(t: Test): Promise<string> {
  const server = createServer((request, response) => {
    const { traceparent, tracestate } = request.headers;
    response.end(JSON.stringify({ traceparent, tracestate }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openReceiver(t: Test) {
  const receiver = new Receiver();
  const endpoint = await receiver.open();
  t.teardown(() => receiver.close());
  return { receiver, endpoint };
}

async function ask(url: string, headers: Readonly<Record<string, string>> = {}) {
  const before = Date.now();
  const response = await fetch(url, { headers });
  const { status } = response;
  const id = response.headers.get('x-request-id') ?? '';
  const told = (await response.json()) as Told;
  return { status, id, told, before, after: Date.now() };
}

const SOON = { OTEL_BSP_SCHEDULE_DELAY: '50' };

for (const workers of ['1', '0']) {
  t.test(`serve with ${workers} workers`, { skip: noDriver }, async (t) => {
    const { receiver, endpoint } = await openReceiver(t);
    const onward = await openOnward(t);
    const folder = t.testdir({ 'traced.ts': FUNCTION });
    const served = new Served(
      [`${folder}/traced.ts`, '--workers', workers, '--allow-fetch', onward],
      {
        ...SOON,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-key=of%20mine',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
      },
    );
    t.teardown(() => served.stop());
    const url = await served.url();

    const begun = await ask(`${url}/a/b?fetch=http://${onward}/&key=hush`);
    const going = await ask(`${url}/`, {
      traceparent: `00-${TRACE_ID}-${PARENT}-01`,
      tracestate: 'a=1,b=2',
    });
    const unsampled = await ask(`${url}/?fetch=http://${onward}/`, {
      traceparent: `00-${TRACE_ID}-${PARENT}-00`,
      tracestate: 'a=1',
    });
    const invalid = await ask(`${url}/`, { traceparent: '00-x', tracestate: 'a=1' });
    const stray = await ask(`${url}/`, { tracestate: 'a=1' });
    const thrown = await ask(`${url}/throws`);
    t.equal((await served.stop()).code, 0);
    t.same(receiver.problems, []);
    t.equal(receiver.headers[0]?.['x-key'], 'of mine');

    t.test('a trace that begins here', async (t) => {
      const [server, ...phases] = receiver.treeOf(begun.id);
      t.match(server, {
        name: 'GET traced',
        kind: 2,
        parentSpanId: undefined,
        status: { code: 0 },
        attributes: {
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'url.scheme': 'http',
          'url.path': '/a/b',
          'server.address': '127.0.0.1',
          'server.port': Number(new URL(url).port),
          'hatchery.function': 'traced',
          'hatchery.driver': defaultDriver,
          'hatchery.strategy': defaultStrategy,
        },
        resource: {
          'service.name': 'hatchery',
          'service.version': String,
          'telemetry.sdk.name': 'opentelemetry',
          'deployment.environment.name': 'test',
        },
        scope: { name: 'hatchery' },
      });
      t.notMatch(JSON.stringify(receiver.spans), 'hush', 'no query: it may hold secrets');
      t.same(
        phases.map(({ name }) => name),
        ['accept', 'queue', 'spawn', 'guest', 'reply', 'end'],
      );
      t.ok(phases.every(({ traceId, kind }) => traceId === server?.traceId && kind === 1));
      const ids = [server, ...phases].map((span) => span?.spanId);
      t.equal(new Set(ids).size, ids.length);
    });

    t.test('the times are those of the request', async (t) => {
      const [server, ...phases] = receiver.treeOf(begun.id);
      // Of two processes. Each adds its monotonic clock to the time of day at its start, from which the
      // two part as the system's clock is corrected.
      const apart = 20;
      t.ok((server?.start ?? 0) >= begun.before - apart);
      t.ok((server?.end ?? 0) <= begun.after + apart);
      let before = server?.start ?? 0;
      for (const { name, start, end } of phases) {
        t.ok(start >= before - 0.01 && end >= start, `${name} comes behind what was before it`);
        before = end;
        if (name !== 'end') {
          t.ok(end <= (server?.end ?? 0) + 0.01, `${name} is within the server's span`);
        }
      }
      const guest = phases.find(({ name }) => name === 'guest');
      const running = guest?.attributes['hatchery.guest.running_ms'] as number;
      t.ok(running > 0 && running < (guest?.end ?? 0) - (guest?.start ?? 0), 'it waited besides');
    });

    t.test('the trace goes on in the function, and where it fetches', async (t) => {
      const [server] = receiver.treeOf(begun.id);
      const expected = `00-${server?.traceId}-${server?.spanId}-01`;
      t.equal(begun.told.traceparent, expected);
      t.equal(begun.told.onward?.traceparent, expected);
    });

    t.test('a trace that began elsewhere', async (t) => {
      const [server] = receiver.treeOf(going.id);
      t.match(server, { traceId: TRACE_ID, parentSpanId: PARENT, traceState: 'a=1,b=2' });
      t.same(going.told, {
        traceparent: `00-${TRACE_ID}-${server?.spanId}-01`,
        tracestate: 'a=1,b=2',
      });
    });

    t.test('a trace that is not sampled stays so', async (t) => {
      t.same(receiver.treeOf(unsampled.id), []);
      const { traceparent = '', tracestate, onward: carried } = unsampled.told;
      t.match(traceparent, new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
      t.notMatch(traceparent, PARENT);
      t.equal(tracestate, 'a=1');
      t.same(carried, { traceparent, tracestate });
    });

    t.test('what is no trace begins one', async (t) => {
      for (const { id, told } of [invalid, stray]) {
        const [server] = receiver.treeOf(id);
        t.match(server, { parentSpanId: undefined, traceState: undefined });
        t.same(told, { traceparent: `00-${server?.traceId}-${server?.spanId}-01` });
      }
    });

    t.test('a function that throws', async (t) => {
      const [server] = receiver.treeOf(thrown.id);
      t.match(server, {
        status: { code: 2, message: 'no planet' },
        attributes: { 'http.response.status_code': thrown.status, 'error.type': 'FUNCTION_THREW' },
        events: [
          {
            name: 'exception',
            attributes: {
              'exception.type': 'TypeError',
              'exception.message': 'no planet',
              'exception.stacktrace': /TypeError: no planet[\s\S]*traced\.ts:6/,
            },
          },
        ],
      });
    });
  });
}

t.test('up', { skip: noDriver }, async (t) => {
  const { receiver, endpoint } = await openReceiver(t);
  const folder = t.testdir({ 'traced.ts': FUNCTION });
  const args = ['--control-port', '0', '--data', `${folder}/data`];
  const served = new Served(
    [...args, '--deploy', `${folder}/traced.ts`],
    {
      ...SOON,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces`,
      OTEL_SERVICE_NAME: 'mine',
    },
    [MAIN],
    'up',
  );
  t.teardown(() => served.stop());
  const listening = await served.next('listening');
  const url = String(listening.url);
  const token = readFileSync(`${folder}/data/token`, 'utf8').trim();
  const deployed = await fetch(`${listening.control}/v1/functions/secretive`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      source: { entry: 'a.ts', files: { 'a.ts': FUNCTION } },
      secrets: { SECRET: 'hush-hush-42' },
      strategy: 'boot',
    }),
  });
  t.equal(deployed.status, 200, await deployed.text());
  const named = await ask(`${url}/traced/x`);
  const root = await ask(`${url}/`);
  const booted = await ask(`${url}/secretive/`);
  const secret = await ask(`${url}/secretive/throws`);
  const missing = await ask(`${url}/none/`);
  const client = new HatcheryClient({ server: String(listening.control), token });
  const { id: instance } = await client.instances.spawn({ function: 'traced' });
  const spawned = await client.instances.request(instance, {
    url: '/in/it',
    headers: [['Traceparent', `00-${TRACE_ID}-${PARENT}-01`]],
  });
  const odd = await fetch(`${url}/traced/`, { method: 'PURGE' });
  const { code, stderr } = await served.stop();
  t.equal(code, 0, stderr);
  t.same(receiver.problems, []);
  t.match(receiver.treeOf(named.id)[0], {
    name: 'GET traced',
    attributes: { 'url.path': '/traced/x' },
    resource: { 'service.name': 'mine' },
  });
  t.match(receiver.treeOf(root.id)[0], { attributes: { 'url.path': '/' } });
  const [, ...phases] = receiver.treeOf(booted.id);
  t.same(
    phases.map(({ name }) => name).filter((name) => name !== 'end'),
    ['accept', 'queue', 'load', 'create', 'boot', 'spawn', 'guest', 'reply'],
    'a cold start has its phases',
  );
  t.match(receiver.treeOf(secret.id)[0]?.events, { length: 1 });
  t.notMatch(JSON.stringify(receiver.spans), 'hush-hush-42');
  t.match(JSON.stringify(receiver.treeOf(secret.id)), 'no [secret SECRET]');
  const [inInstance, ...itsPhases] = receiver.treeOf(spawned.requestId);
  t.match(inInstance, {
    ...{ name: 'GET traced', traceId: TRACE_ID, parentSpanId: PARENT },
    attributes: { 'hatchery.instance.id': instance, 'url.path': '/in/it' },
  });
  t.same(
    itsPhases.map(({ name }) => name),
    ['accept', 'queue', 'spawn', 'guest', 'reply'],
  );
  t.equal(
    JSON.parse(spawned.body ?? '').traceparent,
    `00-${TRACE_ID}-${inInstance?.spanId}-01`,
    'a spawned instance is in the trace, too',
  );
  t.match(receiver.treeOf(missing.id)[0], {
    name: 'GET',
    status: { code: 0 },
    attributes: { 'http.response.status_code': 404, 'hatchery.error.code': 'FUNCTION_MISSING' },
  });
  t.match(receiver.treeOf(odd.headers.get('x-request-id') ?? '')[0], {
    name: 'HTTP traced',
    attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'PURGE' },
  });
});

t.test('a sampler', { skip: noDriver }, async (t) => {
  const { receiver, endpoint } = await openReceiver(t);
  const folder = t.testdir({ 'traced.ts': FUNCTION });
  const served = new Served([`${folder}/traced.ts`], {
    ...SOON,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
  });
  t.teardown(() => served.stop());
  const url = await served.url();
  const own = await ask(url);
  const going = await ask(url, { traceparent: `00-${TRACE_ID}-${PARENT}-01` });
  await served.stop();
  t.match(own.told.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  t.same(receiver.treeOf(own.id), []);
  t.match(receiver.treeOf(going.id)[0], { traceId: TRACE_ID });
});

t.test('no receiver, or one that never answers', { skip: noDriver }, async (t) => {
  const { receiver, endpoint } = await openReceiver(t);
  receiver.answer = () => {};
  const folder = t.testdir({ 'traced.ts': FUNCTION });
  for (const [where, warning] of [
    ['http://127.0.0.1:1', /spans cannot be exported/],
    [endpoint, /not all was exported within 3000 ms/],
    ['nonsense', /OTEL_EXPORTER_OTLP_ENDPOINT is no URL of HTTP/],
  ] as const) {
    const served = new Served([`${folder}/traced.ts`], {
      ...SOON,
      OTEL_EXPORTER_OTLP_ENDPOINT: where,
      OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
    });
    t.teardown(() => served.stop());
    const url = await served.url();
    for (let count = 0; count < 20; count += 1) {
      t.equal((await ask(url)).status, 200);
    }
    await sleep(300);
    const stopped = performance.now();
    const { code, stderr } = await served.stop();
    t.equal(code, 0);
    t.ok(performance.now() - stopped < 30_000, 'it ends before the export would be given up');
    t.match(stderr, warning, where);
    t.ok(stderr.split('\n').length < 6, `few lines: ${stderr}`);
  }
});

t.test('without an endpoint nothing is done about traces', { skip: noDriver }, async (t) => {
  const folder = t.testdir({ 'traced.ts': FUNCTION });
  const served = new Served([`${folder}/traced.ts`], { OTEL_TRACES_SAMPLER: 'always_on' });
  t.teardown(() => served.stop());
  const url = await served.url();
  t.same((await ask(url)).told, {});
  const traceparent = `00-${TRACE_ID}-${PARENT}-01`;
  t.same((await ask(url, { traceparent })).told, { traceparent }, 'they are passed on as they are');
  await served.stop();
});
