/** Many functions and spawned instances behind one front, in workers and in one process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import t from 'tap';
import { prepareFunction } from '../../src/fabric/prepared.js';
import { Images } from '../../src/image/images.js';
import type { Observation } from '../../src/supervisor/observations.js';
import { ObservationBuffer } from '../../src/supervisor/observations.js';
import { OneProcess } from '../../src/supervisor/one-process.js';
import type { Serving } from '../../src/supervisor/serving.js';
import { Supervised } from '../../src/supervisor/supervised.js';
import { noDriver } from '../drivers/default-driver.js';
import { until } from './functions.js';

const COUNTS = `
  let count = 0;
  export default {
    fetch(request) {
      count += 1;
      const { pathname } = new URL(request.url);
      if (pathname === '/throw') throw new Error('no such planet');
      if (pathname === '/loop') for (;;) {}
      if (pathname === '/large') return new Response(new Uint8Array(9 << 20));
      console.log('count is ' + count);
      return new Response(String(count), { headers: { 'x-path': pathname } });
    },
  };`;
const says = (text: string) => `export default { fetch: () => new Response('${text}') };`;

const NO_LOG = pino({ enabled: false });
const GET = { requestId: 'r', method: 'GET', url: 'http://i/', headers: [], body: '' };
const textOf = (body: string) => Buffer.from(body, 'base64').toString();

async function open(workers: number, told: Observation[]): Promise<Serving> {
  const options = {
    ...{ driver: 'auto' as const, logger: NO_LOG, trustProxy: [], maxConnections: 100 },
    ...{ admission: { concurrency: 4, instances: 4 }, byName: true },
    report: (observations: readonly Observation[]) => told.push(...observations),
  };
  return workers === 0
    ? OneProcess.open(options)
    : Supervised.open({ ...options, workers, log: { level: 'silent', json: true } });
}

for (const workers of [0, 2]) {
  t.test(`${workers} workers`, { skip: noDriver }, async (t) => {
    const told: Observation[] = [];
    const serving = await open(workers, told);
    t.teardown(() => serving.close());
    const url = await serving.listen('127.0.0.1', 0);
    const get = async (path: string) => {
      const response = await fetch(`${url}${path}`);
      return response.ok ? response.text() : ((await response.json()) as { code: string }).code;
    };
    const kinds = (kind: Observation['kind']) => told.filter((one) => one.kind === kind);

    t.test('each function has its path, comes and goes', async (t) => {
      t.equal(await get('/a/'), 'FUNCTION_MISSING');
      await serving.deploy({ name: 'a', source: says('first') });
      await serving.deploy({ name: 'b', source: says('other') });
      t.same(await Promise.all([get('/a/'), get('/b/x')]), ['first', 'other']);
      await serving.deploy({ name: 'a', source: says('second') });
      t.equal(await get('/a/'), 'second');
      await serving.remove('a');
      t.same(await Promise.all([get('/a/'), get('/b/x')]), ['FUNCTION_MISSING', 'other']);
    });

    t.test('what fails before it is committed changes nothing', async (t) => {
      const prepare = (source: string) => prepareFunction({ name: 'b', source }, new Images());
      const full = async () => {
        throw new Error('the disk is full');
      };
      await t.rejects(serving.deployPrepared(await prepare(says('new')), full), /full/);
      await t.rejects(serving.deploy({ name: 'b', source: 'throw new Error("early")' }), {
        code: 'STARTUP_FAILED',
      });
      t.equal(await get('/b/'), 'other');
      let wasAsked = '';
      await serving.deployPrepared(await prepare(says('new')), async () => {
        wasAsked = await get('/b/');
      });
      t.equal(wasAsked, 'other', 'the version before answers until then');
      t.equal(await get('/b/'), 'new');
    });

    t.test('instances keep their state, and end', async (t) => {
      await serving.deploy({ name: 'c', source: COUNTS });
      t.match(await serving.spawn({ id: 'i1', of: 'c' }), { strategy: String, coldStart: {} });
      await serving.spawn({ id: 'i2', of: 'c' });
      for (const count of ['1', '2', '3']) {
        t.equal(textOf((await serving.request('i1', GET)).body), count);
      }
      const reply = await serving.request('i2', { ...GET, url: 'http://i/p' });
      t.match(reply, { status: 200, timeline: { guest: Number }, requestId: String });
      t.equal(textOf(reply.body), '1');
      t.ok(reply.headers.includes('/p'));
      await until(() => told.some((one) => one.kind === 'log' && one.text === 'count is 3'));
      t.match(
        told.find((one) => one.kind === 'log' && one.text === 'count is 3'),
        { instance: 'i1', function: 'c', requestId: String, level: 'info' },
      );
      await serving.kill('i1');
      await until(() => kinds('ended').some((one) => one.instance === 'i1'));
      t.match(
        kinds('ended').find((one) => one.instance === 'i1'),
        { reason: 'it was killed' },
      );
      await t.rejects(serving.request('i1', GET), { code: 'INSTANCE_GONE' });
      await t.rejects(serving.kill('i1'), { code: 'INSTANCE_GONE' });
      await t.rejects(serving.spawn({ id: 'x', of: 'none' }), { code: 'FUNCTION_MISSING' });
      await serving.remove('c');
      t.equal(textOf((await serving.request('i2', GET)).body), '2', 'it outlives its function');
      await serving.kill('i2');
    });

    t.test('an instance of its own function', async (t) => {
      const limits = {
        memoryBytes: 32 << 20,
        // Making 9 MiB of an answer takes long where others compute.
        wallMilliseconds: 3_000,
        maxResponseBodyBytes: 16 << 20,
      };
      const own = { name: 'own', source: COUNTS, limits };
      const of = await prepareFunction(own, new Images());
      await serving.spawn({ id: 'own', of });
      t.equal(textOf((await serving.request('own', GET)).body), '1');
      t.equal(await get('/own/'), 'FUNCTION_MISSING', 'nobody else can reach it');
      const ask = (path: string) => serving.request('own', { ...GET, url: `http://i${path}` });
      await t.rejects(ask('/throw'), { code: 'FUNCTION_THREW' });
      t.equal(textOf((await serving.request('own', GET)).body), '3', 'throwing ends nothing');
      await t.rejects(ask('/large'), { code: 'RESPONSE_BODY_TOO_LARGE' });
      await t.rejects(ask('/loop'), { code: 'DEADLINE_EXCEEDED' });
      await until(() => kinds('ended').some((one) => one.instance === 'own'));
      t.match(
        kinds('crashed').find((one) => one.instance === 'own'),
        { code: 'FUNCTION_THREW', where: /no such planet[\s\S]*function\.ts:7/ },
      );
      t.match(
        kinds('killed').find(
          (one) =>
            one.instance === 'own' && one.kind === 'killed' && one.code === 'DEADLINE_EXCEEDED',
        ),
        { status: 504 },
      );
    });

    t.test('what was served is told, with its timeline', async (t) => {
      told.length = 0;
      await get('/b/');
      await until(() => kinds('served').length > 0);
      t.match(kinds('served')[0], {
        ...{ function: 'b', method: 'GET', status: 200, requestId: String },
        timeline: { accept: Number, guest: Number, reply: Number },
      });
      const { requestId = '' } = kinds('served')[0] ?? {};
      t.match(await serving.findRequest(requestId), { kind: 'served', function: 'b' });
      t.equal(await serving.findRequest('none'), undefined);
      await get('/nothing/');
      await until(() => kinds('refused').length > 0);
      t.match(kinds('refused')[0], { code: 'FUNCTION_MISSING', status: 404 });
    });

    t.test(
      'a worker that dies takes its instances along',
      {
        skip: workers === 0 && 'there is no worker',
      },
      async (t) => {
        await serving.deploy({ name: 'c', source: COUNTS });
        await Promise.all(['w1', 'w2'].map((id) => serving.spawn({ id, of: 'c' })));
        const [victim = 0] = serving.workers;
        process.kill(victim, 'SIGKILL');
        await until(() => kinds('ended').some((one) => one.instance?.startsWith('w')));
        const ended = kinds('ended').filter((one) => one.instance?.startsWith('w'));
        t.match(ended, [{ reason: /worker process died/ }], 'the other one lives');
        const gone = ended[0]?.instance as string;
        await t.rejects(serving.request(gone, GET), { code: 'INSTANCE_GONE' });
        const other = gone === 'w1' ? 'w2' : 'w1';
        t.equal(textOf((await serving.request(other, GET)).body), '1');
        await until(() => serving.workers.length === 2);
        t.equal(await get('/b/'), 'new', 'the new one has all functions');
        await serving.kill(other);
      },
    );
  });
}

t.test('observations are not told without measure', async (t) => {
  const batches: [number, number][] = [];
  const buffer = new ObservationBuffer((told, omitted) => batches.push([told.length, omitted]));
  for (let count = 0; count < 1_000; count += 1) {
    buffer.add({ kind: 'log', at: 0, level: 'info', text: 'x' });
  }
  await sleep(300);
  t.same(batches, [[256, 744]]);
  buffer.flush();
  t.equal(batches.length, 1, 'nothing is nothing to tell');
});
