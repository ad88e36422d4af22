/** What a worker answers and tells is believed only as far as it was asked, and is its own. */
import t from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { isFromWorker, type ToWorker } from '../../src/supervisor/messages.js';
import type { Observation } from '../../src/supervisor/observations.js';
import { WorkerCalls } from '../../src/supervisor/worker-calls.js';
import { WorkerInstances } from '../../src/supervisor/worker-instances.js';
import type { WorkerProcess } from '../../src/supervisor/worker-process.js';

const SPAWNED = { strategy: 'reset', coldStart: {} } as const;

t.test('answers go to the questions that they answer', async (t) => {
  const sent: ToWorker[] = [];
  const calls = new WorkerCalls((message) => sent.push(message));
  const spawning = calls.begin({ type: 'spawn', id: 'a', of: 'f' });
  const killing = calls.begin({ type: 'kill', id: 'b' });
  t.match(sent, [
    { type: 'spawn', call: 0 },
    { type: 'kill', call: 1 },
  ]);
  calls.settle({ type: 'killed', call: 0 });
  calls.settle({ type: 'spawned', call: 7, spawned: SPAWNED });
  calls.settle({ type: 'killed', call: 1 });
  t.match(await killing, { type: 'killed' });
  calls.settle({ type: 'spawned', call: 0, spawned: SPAWNED });
  t.match(await spawning, { spawned: SPAWNED });
  const failing = calls.begin({ type: 'kill', id: 'c' });
  const error = { code: 'INSTANCE_GONE', details: { reason: 'x' }, causes: [] } as const;
  calls.settle({ type: 'refused', call: 2, error });
  await t.rejects(failing, { code: 'INSTANCE_GONE' });
  const lost = calls.begin({ type: 'kill', id: 'd' });
  calls.close();
  await t.rejects(lost, { code: 'WORKER_DIED' });
  await t.rejects(calls.begin({ type: 'kill', id: 'e' }), { code: 'WORKER_DIED' });
  t.equal(sent.length, 4, 'a dead worker is asked nothing');
});

t.test('a worker cannot speak of the instances of another one', async (t) => {
  const told: Observation[] = [];
  const instances = new WorkerInstances((observations) => told.push(...observations));
  const worker = () =>
    ({
      spawn: async () => SPAWNED,
      killInstance: async () => {},
    }) as unknown as WorkerProcess;
  const [one, other] = [worker(), worker()];
  await instances.spawn({ id: 'a', of: 'f' }, [one, other]);
  await instances.spawn({ id: 'b', of: 'f' }, [one, other]);
  const ended = (instance: string) => ({ kind: 'ended' as const, at: 0, instance, reason: 'x' });
  instances.observe(other, [ended('a'), { kind: 'log', at: 0, level: 'info', text: 'l' }], 0);
  t.match(told, [{ kind: 'log' }]);
  await instances.kill('a');
  instances.observe(one, [ended('a')], 0);
  await t.rejects(instances.kill('a'), { code: 'INSTANCE_GONE' });
  await instances.kill('b');
  instances.forget(other);
  t.match(told.at(-1), { kind: 'ended', instance: 'b', reason: /died/ });
  await t.rejects(instances.kill('b'), { code: 'INSTANCE_GONE' });
  await t.rejects(instances.spawn({ id: 'c', of: 'f' }, []), { code: 'WORKER_DIED' });
  const full = { spawn: () => Promise.reject(new HatcheryError('OVERLOADED')) };
  await t.rejects(instances.spawn({ id: 'd', of: 'f' }, [full as unknown as WorkerProcess]), {
    code: 'OVERLOADED',
  });
  await t.rejects(instances.kill('d'), { code: 'INSTANCE_GONE' });
});

t.test('messages that no worker sends', async (t) => {
  const wrong: unknown[] = [
    { type: 'observed', observations: [{ kind: 'served' }], omitted: 0 },
    { type: 'observed', observations: [{ kind: 'deployed', at: 0 }], omitted: 0 },
    { type: 'observed', observations: 'all', omitted: 0 },
    { type: 'spawned', call: '1', spawned: SPAWNED },
    { type: 'replied', call: 1, reply: { status: 200 } },
    { type: 'refused', call: 1, error: { code: 'NO_SUCH', details: {}, causes: [] } },
    { type: 'found', call: 1, outcome: { kind: 'log', at: 0, level: 'info', text: '' } },
  ];
  for (const message of wrong) {
    t.notOk(isFromWorker(message), JSON.stringify(message));
  }
  t.ok(isFromWorker({ type: 'found', call: 1 }));
  t.ok(
    isFromWorker({
      type: 'observed',
      observations: [{ kind: 'ended', at: 0, reason: '' }],
      omitted: 1,
    }),
  );
});
