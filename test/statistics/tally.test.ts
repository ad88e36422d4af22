/** What is counted where requests are served, and what is told of it. */
import fc from 'fast-check';
import t from 'tap';
import { Counts, type OutcomeName } from '../../src/statistics/counts.js';
import { Tally, type ToldCounts } from '../../src/statistics/tally.js';
import { Timeline } from '../../src/timeline.js';
import { Meter, NOTHING_KNOWN } from '../../src/usage.js';

const usage = {
  ...{ cpuMicroseconds: 7, peakMemoryBytes: 100, dirtyMemoryBytes: 50 },
  ...{ bytesIn: 3, bytesOut: 4, hostCalls: 1 },
};
const REMAINS = { memory: { dirtyBytes: 50, usedBytes: 100 }, cpuMicroseconds: 2 };

/** One that an instance has. */
function answeredByInstance(name: string | undefined) {
  const meter = Object.assign(new Meter(), { bytesIn: 3, bytesOut: 4, hostCalls: 1 });
  meter.cpuMicroseconds = usage.cpuMicroseconds - REMAINS.cpuMicroseconds;
  return answered(name, { meter });
}

function answered(name: string | undefined, phases: Partial<Timeline> = {}) {
  const timeline = Object.assign(new Timeline(), phases);
  return { requestId: 'r', function: name, method: 'GET', status: 200, timeline };
}

function countsOf(told: readonly ToldCounts[], name: string | undefined): Counts {
  const counts = new Counts();
  for (const row of told.filter((row) => row.name === name)) {
    counts.add(row.counts);
  }
  return counts;
}

t.test('a request counts with its outcome and its phases', (t) => {
  const tally = new Tally(() => true);
  t.notOk(tally.isTouched);
  const phases = { accept: 0.015, queue: 0, spawn: 0.3, guest: 3, reply: 0.1 };
  tally.record('served', answered('a', phases));
  tally.record('crashed', answered('a', { cold: { create: 2, boot: 4 } }));
  const told = tally.take(9);
  t.same(
    told.map(({ name }) => name),
    ['a'],
  );
  const counts = countsOf(told, 'a');
  t.same(counts.outcomes(), { served: 1, refused: 0, killed: 0, crashed: 1 });
  t.match(counts.histogram('accept'), { count: 1, sumMilliseconds: 0.015, buckets: [0, 1, 0] });
  t.match(counts.histogram('queue'), { count: 1, buckets: [1] });
  t.match(counts.histogram('boot'), { count: 1, sumMilliseconds: 4 });
  t.match(counts.histogram('load'), { count: 0 });
  t.match(counts.histogram('total'), { count: 2 });
  t.same(tally.take(9), [], 'it is told once');
  t.end();
});

t.test('the phase `end` and what was used count when they are known', (t) => {
  const tally = new Tally((name) => name !== 'gone');
  const later = answeredByInstance('a');
  tally.record('served', later);
  const before = countsOf(tally.take(9), 'a');
  t.equal(before.histogram('end').count, 0);
  later.timeline.noteEnd(0.04, REMAINS);
  const after = countsOf(tally.take(9), 'a');
  t.match(after.histogram('end'), { count: 1, sumMilliseconds: 0.04 });
  t.equal(after.requests, 0);
  t.same(after.usage(), usage);
  const early = answeredByInstance('a');
  early.timeline.noteEnd(1, NOTHING_KNOWN);
  tally.record('served', early);
  const whole = countsOf(tally.take(9), 'a');
  t.equal(whole.histogram('end').count, 1, 'once');
  t.match(whole.usage(), { bytesIn: 3, peakMemoryBytes: 0 }, 'what is not known is not counted');
  t.end();
});

t.test('there is a row for each deployed function, and one more', (t) => {
  const deployed = new Set(['a', 'b']);
  const tally = new Tally((name) => deployed.has(name));
  for (let count = 0; count < 1_000; count += 1) {
    tally.record('served', answered(`i-${count}`));
  }
  tally.record('refused', answered(undefined));
  tally.record('served', answered('a'));
  const told = tally.take(9);
  t.same(
    told.map(({ name }) => name),
    [undefined, 'a'],
  );
  t.match(countsOf(told, undefined).outcomes(), { served: 1_000, refused: 1 });

  t.test('that of one that is gone is told without its name', (t) => {
    const late = answeredByInstance('a');
    tally.record('served', late);
    deployed.delete('a');
    tally.forget('a');
    tally.record('served', answered('a'));
    late.timeline.noteEnd(1, NOTHING_KNOWN);
    const [stale, ...rest] = tally.take(9);
    t.match(stale, { name: 'a' }, 'it had something to tell');
    t.ok(stale?.counts.every((count) => count === 0));
    const counts = countsOf(rest, undefined);
    t.equal(counts.requests, 2);
    t.equal(counts.histogram('end').count, 1);
    tally.forget('never seen');
    t.notOk(tally.isTouched);
    t.end();
  });
  t.end();
});

t.test('whatever the order and the size of what is told, nothing is lost', (t) => {
  const step = fc.oneof(
    fc.record({ name: fc.constantFrom('a', 'b', 'c', undefined), ends: fc.boolean() }),
    fc.record({ take: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ forget: fc.constantFrom('a', 'b') }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const tally = new Tally(() => true);
      const sum = new Counts();
      let requests = 0;
      let ends = 0;
      for (const given of steps) {
        if ('take' in given) {
          const told = tally.take(given.take);
          t.ok(told.length <= given.take);
          for (const { counts } of told) sum.add(counts);
        } else if ('forget' in given) {
          tally.forget(given.forget);
        } else {
          const one = answeredByInstance(given.name);
          tally.record('killed' satisfies OutcomeName, one);
          requests += 1;
          if (given.ends) {
            one.timeline.noteEnd(1, NOTHING_KNOWN);
            ends += 1;
          }
        }
      }
      while (tally.isTouched) {
        for (const { counts } of tally.take(1)) sum.add(counts);
      }
      t.equal(sum.requests, requests);
      t.equal(sum.histogram('end').count, ends);
    }),
  );
  t.end();
});
