/** The statistics of a live server: every outcome counts once, whoever dies. */

import { Ajv } from 'ajv';
import t from 'tap';
import { OPERATIONS } from '../../src/api/operations.js';
import { HatcheryClient } from '../../src/client/index.js';
import { noDriver } from '../drivers/default-driver.js';
import { parse } from '../statistics/prometheus-text.js';
import { until } from '../supervisor/functions.js';
import { says, startControl, type UnderTest } from './control-under-test.js';

const FAILING = `export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/throw') throw new Error('no such planet');
  if (pathname === '/loop') for (;;) {}
  if (pathname === '/wait') await new Promise((resolve) => setTimeout(resolve, 400));
  return new Response('x');
} };`;

const isStatistics = new Ajv({ strict: false }).compile(OPERATIONS.getStatistics.response);

async function startWith(data: string, workers: number): Promise<UnderTest> {
  const server = await startControl({ data, workers });
  const source = { entry: 'a.ts', files: { 'a.ts': FAILING } };
  await server.ask('PUT', '/v1/functions/app', { source, limits: { wallMilliseconds: 1_000 } });
  return server;
}

/** As a client has them that waits until all is counted. */
async function statisticsOf(
  { ask }: UnderTest,
  isEnough: (body: Statistics) => boolean,
): Promise<Statistics> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { body } = await ask('GET', '/v1/statistics');
    if (isEnough(body)) {
      return body;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${isEnough}`);
}

type Statistics = Awaited<ReturnType<HatcheryClient['statistics']>>;

function sum(outcomes: Statistics['outcomes']): number {
  const { served, refused, killed, crashed } = outcomes;
  return served + refused + killed + crashed;
}

function metricsOf(server: UnderTest, token = server.token): Promise<Response> {
  return fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
}

async function totalOf(server: UnderTest, name: string): Promise<number> {
  const families = parse(await (await metricsOf(server)).text());
  return (families.get(name)?.samples ?? []).reduce((total, { value }) => total + value, 0);
}

for (const workers of [0, 2]) {
  t.test(`with ${workers} workers`, { skip: noDriver }, async (t) => {
    const server = await startWith(`${t.testdir()}/data`, workers);
    t.teardown(() => server.close());
    const { front, ask, url, token } = server;
    const first = await new HatcheryClient({ server: url, token }).statistics();
    t.ok(isStatistics(first), JSON.stringify(isStatistics.errors));
    t.equal(sum(first.outcomes), 0);
    t.match(first.functions, [{ name: 'app', outcomes: { served: 0 } }], 'nothing nameless yet');
    t.equal(first.workers.length, Math.max(1, workers));
    t.ok(first.workers.every(({ residentBytes }) => residentBytes > 1e6));
    t.match(first.instances, { running: 0, spawned: 0, limit: 4 });
    t.match(first.queue, { waiting: 0, limit: 1_024 });

    await t.test('each request counts by its outcome', async (t) => {
      for (let count = 0; count < 7; count += 1) await fetch(`${front}/app/`);
      for (let count = 0; count < 3; count += 1) await fetch(`${front}/app/throw`);
      await fetch(`${front}/app/loop`);
      await fetch(`${front}/none/`);
      const now = await statisticsOf(
        server,
        (body) => sum(body.outcomes) >= 12 && (body.phases.end?.count ?? 0) >= 11,
      );
      t.ok(isStatistics(now), JSON.stringify(isStatistics.errors));
      t.same(now.outcomes, { served: 7, refused: 1, killed: 1, crashed: 3 });
      const app = now.functions.find(({ name }) => name === 'app');
      t.same(app?.outcomes, { served: 7, refused: 0, killed: 1, crashed: 3 });
      const nameless = now.functions.find(({ name }) => name === undefined);
      t.same(nameless?.outcomes, { served: 0, refused: 1, killed: 0, crashed: 0 });
      t.match(now.phases, { total: { count: 12 }, guest: { count: 11 }, end: { count: 11 } });
      t.match(app?.phases, { total: { count: 11 }, guest: { count: 11 }, reply: { count: 7 } });
      t.equal(app?.phases.load, undefined, 'what there was none of is not shown');
      const { sumMilliseconds = 0, buckets = [] } = now.phases.total ?? {};
      t.ok(sumMilliseconds >= 1_000, 'one had its whole second');
      const slow = now.bucketBounds.findIndex((bound) => bound >= 1_000);
      t.ok(buckets.slice(slow).some((count) => count >= 1));
      t.equal(buckets.length, now.bucketBounds.length + 1);
      t.equal(
        buckets.reduce((total, count) => total + count, 0),
        12,
      );
    });

    await t.test('the gauges show what is so now', async (t) => {
      const waiting = Array.from({ length: 6 }, () => fetch(`${front}/app/wait`));
      let seen: Statistics | undefined;
      await statisticsOf(server, (body) => {
        seen = body.instances.running > 0 ? body : seen;
        return seen !== undefined;
      });
      const pool = seen?.functions.find(({ name }) => name === 'app')?.pool;
      t.ok((pool?.running ?? 0) > 0);
      t.equal(pool?.running, seen?.instances.running);
      t.equal(pool?.waiting, seen?.queue.waiting);
      await Promise.all(waiting);
      await statisticsOf(server, (body) => body.instances.running === 0);
    });

    await t.test('spawned instances make no names', async (t) => {
      const before = (await ask('GET', '/v1/statistics')).body as Statistics;
      const spawned = [];
      for (const body of [{ image: 'hello' }, { function: 'app' }, { image: 'hello' }]) {
        spawned.push((await ask('POST', '/v1/instances', body)).body.id);
      }
      for (const id of spawned) {
        t.equal((await ask('POST', `/v1/instances/${id}/requests`, {})).status, 200);
      }
      const now = await statisticsOf(
        server,
        (body) => sum(body.outcomes) >= sum(before.outcomes) + 3 && body.instances.spawned === 3,
      );
      t.same(
        now.functions.map(({ name }) => name),
        ['app', undefined],
      );
      const nameless = now.functions.find(({ name }) => name === undefined);
      t.equal(nameless?.outcomes.served, 2);
      for (const id of spawned) await ask('DELETE', `/v1/instances/${id}`);
      await statisticsOf(server, (body) => body.instances.spawned === 0);
    });

    await t.test('a removed function goes, what it did stays in the sums', async (t) => {
      await ask('PUT', '/v1/functions/short', says('x'));
      for (let count = 0; count < 5; count += 1) await fetch(`${front}/short/`);
      const isTold = (body: Statistics) =>
        body.functions.some(({ name, outcomes }) => name === 'short' && outcomes.served === 5);
      const before = await statisticsOf(server, isTold);
      await ask('DELETE', '/v1/functions/short');
      const after = await statisticsOf(server, (body) => !isTold(body));
      t.notOk(after.functions.some(({ name }) => name === 'short'));
      t.ok(after.outcomes.served >= before.outcomes.served);
    });

    await t.test('/metrics', async (t) => {
      const { body } = await ask('POST', '/v1/tokens', { name: 'prometheus', scopes: ['read'] });
      const response = await metricsOf(server, body.token);
      t.equal(response.status, 200);
      t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      const families = parse(await response.text());
      t.equal(families.get('hatchery_build_info')?.samples[0]?.labels.version, '0.0.0');
      const now = (await ask('GET', '/v1/statistics')).body as Statistics;
      const crashed = families
        .get('hatchery_requests_total')
        ?.samples.find(({ labels }) => labels.function === 'app' && labels.outcome === 'crashed');
      t.equal(crashed?.value, now.outcomes.crashed);

      await t.test('is for who may read', async (t) => {
        const other = await ask('POST', '/v1/tokens', { name: 'deployer', scopes: ['deploy'] });
        for (const [given, status, code] of [
          [undefined, 401, 'TOKEN_MISSING'],
          ['Bearer nonsense', 401, 'TOKEN_INVALID'],
          [`Bearer ${other.body.token}`, 403, 'SCOPE_MISSING'],
        ] as const) {
          const headers = given === undefined ? {} : { authorization: given };
          for (const path of ['/metrics', '/v1/statistics']) {
            const refused = await fetch(url + path, { headers });
            t.equal(refused.status, status, path);
            t.match(await refused.json(), { code, requestId: String });
          }
        }
        const elsewhere = await fetch(`${url}/metrics`, {
          headers: { authorization: `Bearer ${token}`, origin: 'http://elsewhere.example' },
        });
        t.equal(elsewhere.status, 403);
        t.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 404);
      });
    });
  });
}

t.test('a worker that is killed takes nothing back', { skip: noDriver }, async (t) => {
  const server = await startWith(`${t.testdir()}/data`, 2);
  t.teardown(() => server.close());
  const { front, serving } = server;
  let sent = 0;
  const send = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      // Each over a connection of its own, so that both workers get some.
      await fetch(`${front}/app/`, { headers: { connection: 'close' } });
      sent += 1;
    }
  };
  const counted = () => statisticsOf(server, (body) => sum(body.outcomes) >= sent);
  for (let round = 0; round < 3; round += 1) {
    await send(20);
    const before = await counted();
    const requests = await totalOf(server, 'hatchery_requests_total');
    t.equal(before.outcomes.served, sent, `round ${round}`);
    const [victim] = serving.workers as [number];
    process.kill(victim, 'SIGKILL');
    await until(() => !serving.workers.includes(victim));
    const during = (await server.ask('GET', '/v1/statistics')).body as Statistics;
    t.equal(during.outcomes.served, sent, 'while there is one less');
    await until(() => serving.workers.length === 2);
    const after = await statisticsOf(server, (body) => body.workers.length === 2);
    t.equal(after.outcomes.served, sent);
    t.notOk(after.workers.some(({ pid }) => pid === victim));
    t.ok((await totalOf(server, 'hatchery_requests_total')) >= requests);
  }
  t.equal(await totalOf(server, 'hatchery_worker_restarts_total'), 3);
  const worker = parse(await (await metricsOf(server)).text()).get(
    'hatchery_worker_resident_memory_bytes',
  );
  t.same(
    worker?.samples
      .map(({ labels }) => labels)
      .sort((a, b) => (String(a.worker) < String(b.worker) ? -1 : 1)),
    [{ worker: '0' }, { worker: '1' }],
    'those that replace others go on under their names',
  );
});
