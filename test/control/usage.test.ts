/** What requests used, as the API tells it. */
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { until } from '../supervisor/functions.js';
import { startControl } from './control-under-test.js';

const CODE = `export default {
  async fetch(request, env, ctx) {
    if (request.url.endsWith('/loop')) for (;;);
    if (request.url.endsWith('/late')) ctx.waitUntil(new Promise((done) => setTimeout(done, 500)));
    return new Response(await request.text());
  },
};`;
const MEMORY = { peakMemoryBytes: Number, dirtyMemoryBytes: Number };

for (const workers of [0, 1]) {
  t.test(`usage with ${workers} workers`, { skip: noDriver }, async (t) => {
    const server = await startControl({ data: `${t.testdir()}/data`, workers });
    t.teardown(() => server.close());
    const { ask, front, intake } = server;
    const limits = { wallMilliseconds: 30_000, cpuMilliseconds: 100 };
    await ask('PUT', '/v1/functions/app', { bundle: { code: CODE }, limits });
    const serve = async (path: string, body?: string) => {
      const init = body === undefined ? {} : { method: 'POST', body };
      const response = await fetch(`${front}/app${path}`, init);
      await response.text();
      return response.headers.get('x-request-id') as string;
    };
    const recordOf = async (id: string) => (await ask('GET', `/v1/requests/${id}`)).body;
    /** Once its instance is gone. */
    const completeRecordOf = async (id: string) => {
      let record = await recordOf(id);
      while (record.timeline.end === undefined) record = await recordOf(id);
      return record;
    };
    const eventOf = async (id: string) => {
      const find = () => intake.events.all().find(({ event }) => event.requestId === id)?.event;
      await until(() => find() !== undefined);
      return find();
    };

    t.test('of a request, with its end', async (t) => {
      const id = await serve('/', 'twelve bytes');
      const usage = { bytesIn: 12, bytesOut: 12, hostCalls: 0, cpuMicroseconds: Number };
      const expected = { usage: { ...usage, ...MEMORY }, timeline: { guest: Number, end: Number } };
      const record = await completeRecordOf(id);
      t.match(record, { outcome: 'served', ...expected });
      const { peakMemoryBytes = 0, dirtyMemoryBytes = 0 } = record.usage;
      t.ok(peakMemoryBytes >= dirtyMemoryBytes);
      t.ok(dirtyMemoryBytes > 0);
      t.match(await eventOf(id), { type: 'served', ...expected });
    });

    t.test('of one that was killed', async (t) => {
      const id = await serve('/loop');
      const usage = { bytesIn: 0, bytesOut: 0, hostCalls: 0, ...MEMORY };
      const record = await completeRecordOf(id);
      t.match(record, { outcome: 'killed', code: 'CPU_EXCEEDED', usage });
      t.ok(record.usage.cpuMicroseconds >= 1_000 * limits.cpuMilliseconds);
      const event = await eventOf(id);
      // Of a busy machine's instance the end may come later.
      t.match(event, { type: 'killed', usage: { bytesIn: 0, bytesOut: 0, hostCalls: 0 } });
    });

    t.test('of one whose guest goes on: the event does not wait, the record does', async (t) => {
      const id = await serve('/late', 'x');
      const early = await recordOf(id);
      t.match(early, { outcome: 'served', usage: { bytesIn: 1, bytesOut: 1 } });
      t.equal(early.timeline.end, undefined);
      const event = await eventOf(id);
      t.match(event, { type: 'served', usage: { bytesIn: 1 } });
      t.equal(event?.usage?.dirtyMemoryBytes, undefined);
      t.match(await completeRecordOf(id), { usage: MEMORY });
    });

    t.test('of none that no instance had', async (t) => {
      const response = await fetch(`${front}/none/`);
      const record = await recordOf(response.headers.get('x-request-id') as string);
      t.equal(record.outcome, 'refused');
      t.equal(record.usage, undefined);
    });

    t.test('of requests to an instance', async (t) => {
      const { body: spawned } = await ask('POST', '/v1/instances', { function: 'app' });
      const send = (body: object) => ask('POST', `/v1/instances/${spawned.id}/requests`, body);
      const { body: reply } = await send({ method: 'POST', body: 'abc' });
      t.match(reply.usage, { bytesIn: 3, bytesOut: 3, hostCalls: 0, ...MEMORY });
      t.match(await recordOf(reply.requestId), { usage: reply.usage, instance: spawned.id });
      t.match((await eventOf(reply.requestId))?.usage, reply.usage);
      const failed = await send({ url: '/loop' });
      t.equal(failed.body.code, 'CPU_EXCEEDED');
      const killed = () =>
        intake.events.all().find(({ event: { type, instance, status } }) => {
          return type === 'killed' && instance === spawned.id && status !== undefined;
        });
      await until(() => killed() !== undefined);
      const { cpuMicroseconds = 0 } = killed()?.event.usage ?? {};
      t.ok(cpuMicroseconds >= 1_000 * limits.cpuMilliseconds, 'one that fails counts, too');
    });
  });
}
