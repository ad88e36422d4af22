import fc from 'fast-check';
import t from 'tap';
import { median, quantile, ratio, summarize } from '../../bench/harness/statistics.js';

t.test('a quantile is a measured value, by nearest rank', async (t) => {
  const samples = [40, 10, 30, 20];
  t.equal(quantile(samples, 0), 10);
  t.equal(quantile(samples, 0.25), 10);
  t.equal(quantile(samples, 0.26), 20);
  t.equal(quantile(samples, 0.99), 40);
  t.equal(quantile(samples, 1), 40);
  t.same(samples, [40, 10, 30, 20], 'the input keeps its order');
  t.equal(quantile([9, 10, 100], 0.5), 10, 'numbers are not compared as text');
});

t.test('a quantile splits any samples as it says', async () => {
  const samples = fc.array(fc.integer(), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
      const value = quantile(values, share);
      const notAbove = values.filter((other) => other <= value).length;
      const below = values.filter((other) => other < value).length;
      return (
        values.includes(value) &&
        notAbove >= share * values.length &&
        below <= share * values.length
      );
    }),
  );
});

t.test('a quantile of nothing, or of an impossible share, is an error', async (t) => {
  t.throws(() => quantile([], 0.5), RangeError);
  t.throws(() => quantile([1], 1.5), RangeError);
  t.throws(() => quantile([1], Number.NaN), RangeError);
});

t.test('the median is one of the samples', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2);
});

t.test('one disturbed round does not decide a summary', async (t) => {
  const calm = Array.from({ length: 100 }, (_, index) => index + 1);
  const disturbed = calm.map((value) => value * 1000);
  t.same(summarize([calm, disturbed, calm]), { rounds: 3, samples: 300, p50: 50, p99: 99 });
});

t.test('small rounds are taken together for the 99th percentile', async (t) => {
  const rounds = Array.from({ length: 50 }, (_, round) => [1, round === 0 ? 100 : 2]);
  t.equal(summarize(rounds).p99, 2, 'one of a hundred is above it');
  t.equal(summarize(rounds.slice(0, 49)).p99, 100);
});

t.test('a ratio is taken within rounds', async (t) => {
  t.equal(ratio([[1], [100], [10]], [[2], [200], [20]]), 0.5, 'both slow together: no change');
  t.equal(ratio([[4], [1], [9]], [[2], [1], [3]]), 2, 'the median of 2, 1 and 3');
  t.throws(() => ratio([[1], [2]], [[1]]), RangeError);
  t.throws(() => ratio([], []), RangeError);
});
