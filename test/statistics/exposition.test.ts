/** What Prometheus gets: well formed, and not more series than it is to have. */
import t from 'tap';
import { expose } from '../../src/control/metrics/exposition.js';
import { Counts, OUTCOMES } from '../../src/statistics/counts.js';
import type { Reading } from '../../src/statistics/reading.js';
import { MOST_NAMED, Totals } from '../../src/statistics/totals.js';
import { type Family, parse } from './prometheus-text.js';

const BUILD = { version: '1.2.3', driver: 'kvm' };

function counted(milliseconds: number): number[] {
  const counts = new Counts();
  counts.addOutcome('served');
  counts.addDuration('total', milliseconds);
  counts.addDuration('guest', milliseconds);
  counts.addUsage({
    ...{ cpuMicroseconds: 1_500, peakMemoryBytes: 4_096, dirtyMemoryBytes: 8_192 },
    ...{ bytesIn: 10, bytesOut: 20, hostCalls: 2 },
  });
  return counts.take();
}

function readingOf(totals: Totals): Reading {
  const { all, nameless, others, functions } = totals;
  const pool = { running: 1, ready: 2, waiting: 0 };
  return {
    ...{ at: 2_000, startedAt: 1_500, all, nameless, others, restarts: 3 },
    functions: [...functions].map((fn) => ({ ...fn, pool })),
    load: { waiting: 4, queueLimit: 5, running: 6, limit: 7, spawned: 8 },
    processes: [{ label: '0', processId: 17, residentBytes: 1_024 }],
  };
}

function numberOf(families: Map<string, Family>, name: string, labels: object = {}): number {
  const family = name.replace(/_(bucket|sum|count)$/, '');
  const found = (families.get(name) ?? families.get(family))?.samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found?.length !== 1) {
    throw new Error(`${found?.length} samples ${name} ${JSON.stringify(labels)}`);
  }
  return found[0]?.value as number;
}

t.test('numbers are in seconds and bytes', async (t) => {
  const totals = new Totals();
  totals.keep('a');
  totals.add({ name: 'a', counts: counted(0.015) });
  totals.add({ name: 'a', counts: counted(40) });
  totals.add({ counts: counted(20_000) });
  const { contentType, text } = await expose(readingOf(totals), BUILD);
  t.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8');
  const families = parse(text);
  const value = (name: string, labels?: object) => numberOf(families, name, labels);
  const a = { function: 'a' };
  t.equal(value('hatchery_build_info', BUILD), 1);
  t.equal(value('hatchery_start_time_seconds'), 1.5);
  t.equal(value('hatchery_requests_total', { ...a, outcome: 'served' }), 2);
  t.equal(value('hatchery_requests_total', { ...a, outcome: 'crashed' }), 0);
  t.equal(value('hatchery_requests_total', { function: '', outcome: 'served' }), 1);
  const total = 'hatchery_request_duration_seconds';
  t.equal(value(`${total}_bucket`, { ...a, le: '0.00001' }), 0);
  t.equal(value(`${total}_bucket`, { ...a, le: '0.00002' }), 1);
  t.equal(value(`${total}_bucket`, { ...a, le: '+Inf' }), 2);
  t.equal(value(`${total}_bucket`, { function: '', le: '10' }), 0);
  t.equal(value(`${total}_sum`, a), 0.040015);
  t.equal(value(`${total}_count`, a), 2);
  t.equal(value('hatchery_phase_duration_seconds_count', { phase: 'guest' }), 3);
  t.equal(value('hatchery_phase_duration_seconds_count', { phase: 'end' }), 0);
  t.equal(value('hatchery_guest_cpu_seconds_total', a), 0.003);
  t.equal(value('hatchery_guest_dirtied_bytes_total', a), 16_384);
  t.equal(value('hatchery_guest_peak_memory_bytes', a), 4_096);
  t.equal(value('hatchery_received_bytes_total', a), 20);
  t.equal(value('hatchery_sent_bytes_total', a), 40);
  t.equal(value('hatchery_host_calls_total', a), 4);
  t.equal(value('hatchery_instances', { state: 'running' }), 6);
  t.equal(value('hatchery_instances', { state: 'ready' }), 2);
  t.equal(value('hatchery_instances', { state: 'spawned' }), 8);
  t.equal(value('hatchery_instances_limit'), 7);
  t.equal(value('hatchery_queue_requests'), 4);
  t.equal(value('hatchery_queue_limit'), 5);
  t.equal(value('hatchery_worker_resident_memory_bytes', { worker: '0' }), 1_024);
  t.equal(value('hatchery_worker_restarts_total'), 3);
  t.ok(value('hatchery_host_memory_bytes') > value('hatchery_host_memory_available_bytes'));
  t.ok(value('hatchery_host_processors') >= 1);
});

t.test('functions beyond the 200th are one', async (t) => {
  const totals = new Totals();
  for (let index = 0; index < MOST_NAMED + 300; index += 1) {
    totals.keep(`f-${index}`);
    totals.add({ name: `f-${index}`, counts: counted(1) });
  }
  const families = parse((await expose(readingOf(totals), BUILD)).text);
  for (const { name, samples } of families.values()) {
    const functions = new Set(samples.flatMap(({ labels }) => labels.function ?? []));
    t.ok(functions.size === 0 || functions.size === MOST_NAMED + 2, name);
  }
  const requests = families.get('hatchery_requests_total');
  t.equal(requests?.samples.length, (MOST_NAMED + 2) * OUTCOMES.length);
  t.equal(
    numberOf(families, 'hatchery_requests_total', { function: '(other)', outcome: 'served' }),
    300,
  );
  t.equal(
    requests?.samples.reduce((sum, { value }) => sum + value, 0),
    MOST_NAMED + 300,
    'nothing is counted twice',
  );
});

t.test('the parser of this test takes nothing else', (t) => {
  const head = '# HELP a_total x\n# TYPE a_total counter\n';
  const histogram = (lines: string) => `# HELP h x\n# TYPE h histogram\n${lines}`;
  const good = 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n';
  t.match(parse(`${head}a_total{b="c\\"\\n\\\\"} 1.5e-7\n`).get('a_total'), {
    samples: [{ labels: { b: 'c"\n\\' }, value: 1.5e-7 }],
  });
  t.ok(parse(histogram(good)));
  for (const bad of [
    ...['a_total 1\n', `${head}a_total 1`, `${head}b_total 1\n`, `${head}a_total x\n`],
    ...[`${head}a_total 1\na_total 2\n`, `${head}a_total -1\n`, `${head}a_total{b="c} 1\n`],
    ...[`${head}a_total{b="c",b="d"} 1\n`, `${head}a_total{b=c} 1\n`, `${head}${head}`],
    ...['# TYPE a counter\n# HELP a x\n', '# HELP a x\n# TYPE a counter\na 1\n', 'é 1\n'],
    histogram(good.replace('h_sum 3\n', '')),
    histogram(good.replace('h_count 2', 'h_count 3')),
    histogram(good.replace('le="+Inf"', 'le="5"')),
    histogram(good.replace('"} 1\n', '"} 4\n')),
  ]) {
    t.throws(() => parse(bad), Error, bad);
  }
  t.end();
});
