/** Buckets, counts and their sums. */
import fc from 'fast-check';
import t from 'tap';
import {
  BOUNDS_MILLISECONDS,
  BOUNDS_SECONDS,
  BUCKETS,
  bucketOf,
} from '../../src/statistics/buckets.js';
import {
  areCounts,
  COUNTS_LENGTH,
  Counts,
  DURATIONS,
  OUTCOMES,
} from '../../src/statistics/counts.js';

const NAMES = [...DURATIONS];
const NO_USAGE = {
  ...{ cpuMicroseconds: 0, peakMemoryBytes: 0, dirtyMemoryBytes: 0 },
  ...{ bytesIn: 0, bytesOut: 0, hostCalls: 0 },
};

t.test('buckets go from 10 µs to 10 s by 1, 2, 5', (t) => {
  t.same(BOUNDS_MILLISECONDS, [
    ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50],
    ...[100, 200, 500, 1_000, 2_000, 5_000, 10_000],
  ]);
  t.same(BOUNDS_SECONDS.map(String), [
    ...['0.00001', '0.00002', '0.00005', '0.0001', '0.0002', '0.0005', '0.001', '0.002', '0.005'],
    ...['0.01', '0.02', '0.05', '0.1', '0.2', '0.5', '1', '2', '5', '10'],
  ]);
  t.equal(BUCKETS, 20);
  for (const [index, bound] of BOUNDS_MILLISECONDS.entries()) {
    t.equal(bucketOf(bound), index, `${bound} is part of its bucket`);
    t.equal(bucketOf(bound * 1.0001), index + 1);
  }
  t.equal(bucketOf(0), 0);
  t.equal(bucketOf(Number.MAX_VALUE), BUCKETS - 1);
  t.end();
});

t.test('a bucket is the first whose bound is not below', (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 20_000, noNaN: true }), (milliseconds) => {
      const first = BOUNDS_MILLISECONDS.findIndex((bound) => milliseconds <= bound);
      t.equal(bucketOf(milliseconds), first < 0 ? BUCKETS - 1 : first);
    }),
  );
  t.end();
});

const amount = fc.nat(1e9);
const usage = fc.record({
  ...{ cpuMicroseconds: amount, peakMemoryBytes: amount, dirtyMemoryBytes: amount },
  ...{ bytesIn: amount, bytesOut: amount, hostCalls: amount },
});
const request = fc.record({
  outcome: fc.constantFrom(...OUTCOMES),
  durations: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.nat(20_000)), { maxLength: 5 }),
  usage,
});

t.test('what is told in parts is what was counted as a whole', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(request, fc.boolean())), (requests) => {
      const whole = new Counts();
      const part = new Counts();
      const sum = new Counts();
      const tell = () => sum.add(JSON.parse(JSON.stringify(part.take())));
      for (const [{ outcome, durations, usage }, isTold] of requests) {
        for (const counts of [whole, part]) {
          counts.addOutcome(outcome);
          counts.addUsage(usage);
          for (const [name, milliseconds] of durations) {
            counts.addDuration(name, milliseconds);
          }
        }
        if (isTold) {
          tell();
        }
      }
      tell();
      t.same(sum.take(), whole.copy().take());
      t.equal(whole.requests, requests.length);
      const all = requests.map(([{ usage }]) => usage);
      const peaks = all.map(({ peakMemoryBytes }) => peakMemoryBytes);
      t.equal(whole.usage().peakMemoryBytes, Math.max(0, ...peaks));
      t.equal(
        whole.usage().bytesIn,
        all.reduce((total, { bytesIn }) => total + bytesIn, 0),
      );
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test('a quantile is in the bucket that holds it', (t) => {
  const durations = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, quantile) => {
      const counts = new Counts();
      for (const milliseconds of all) {
        counts.addDuration('guest', milliseconds);
      }
      const { count, sumMilliseconds, buckets } = counts.histogram('guest');
      t.equal(count, all.length);
      const sum = all.reduce((total, one) => total + one, 0);
      t.ok(Math.abs(sumMilliseconds - sum) <= sum * 1e-9);
      const rank = Math.ceil(quantile * count);
      const exact = [...all].sort((a, b) => a - b)[rank - 1] as number;
      let below = 0;
      const found = buckets.findIndex((inBucket) => {
        below += inBucket;
        return below >= rank;
      });
      t.equal(found, bucketOf(exact));
      t.equal(counts.histogram('total').count, 0, 'others have nothing of it');
    }),
  );
  t.end();
});

t.test('what is no amount counts as none', (t) => {
  const counts = new Counts();
  counts.addDuration('queue', -1);
  counts.addDuration('queue', Number.NaN);
  counts.addUsage({ ...NO_USAGE, bytesIn: Number.NaN, peakMemoryBytes: Number.NaN, hostCalls: -3 });
  t.match(counts.histogram('queue'), { count: 2, sumMilliseconds: 0 });
  t.same(counts.usage(), NO_USAGE);
  t.ok(areCounts(counts.take()), 'so that it can be told');
  t.end();
});

t.test('counts that others tell are looked at', (t) => {
  const good = new Array(COUNTS_LENGTH).fill(1.5);
  const withOne = (value: unknown) =>
    good.with?.(3, value) ?? [...good.slice(0, 3), value, ...good.slice(4)];
  t.ok(areCounts(good));
  for (const bad of [
    ...[undefined, null, {}, 'x', [], good.slice(1), [...good, 1]],
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, null, '1', [1], {}].map(withOne),
  ]) {
    t.notOk(areCounts(bad), JSON.stringify(bad)?.slice(0, 40));
  }
  t.end();
});
