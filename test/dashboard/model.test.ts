/** What the dashboard makes of what it reads: quantiles, rates, cells, texts. */
import fc from 'fast-check';
import t from 'tap';
import { END_MILLISECONDS, Field, LIFE_MILLISECONDS } from '../../src/dashboard/model/field.js';
import { age, bytes, cut, duration, rate, whole } from '../../src/dashboard/model/formats.js';
import { parseHeaderLines } from '../../src/dashboard/model/header-lines.js';
import { difference, quantile } from '../../src/dashboard/model/histogram.js';
import { inOrder, onScale, totalOf } from '../../src/dashboard/model/phases.js';
import {
  RATES_MILLISECONDS,
  Readings,
  WINDOW_MILLISECONDS,
} from '../../src/dashboard/model/readings.js';
import { retryAfter } from '../../src/dashboard/model/retry.js';

const BOUNDS = [0.01, 0.1, 1, 10];
const histogramOf = (buckets: readonly number[]) => ({
  count: buckets.reduce((sum, count) => sum + count, 0),
  sumMilliseconds: 0,
  buckets,
});
const someBuckets = fc.array(fc.nat(50), {
  minLength: BOUNDS.length + 1,
  maxLength: BOUNDS.length + 1,
});

t.test('quantiles', async (t) => {
  t.equal(quantile(BOUNDS, histogramOf([0, 0, 0, 0, 0]), 0.5), undefined);
  t.same(quantile(BOUNDS, histogramOf([0, 2, 0, 0, 0]), 0.5), {
    ...{ milliseconds: 0.01 + 0.5 * (0.1 - 0.01), isAbove: false },
  });
  t.same(quantile(BOUNDS, histogramOf([0, 0, 0, 0, 3]), 0.5), { milliseconds: 10, isAbove: true });
  t.same(quantile([], histogramOf([1]), 0.5), { milliseconds: 0, isAbove: true });
  t.same(quantile(BOUNDS, histogramOf([99, 0, 0, 1, 0]), 0.99)?.milliseconds, 0.01);

  t.test('lie in the bucket of their rank, and grow with the part', async () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(someBuckets, part, part, (buckets, a, b) => {
        const histogram = histogramOf(buckets);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const found = quantile(BOUNDS, histogram, low);
        const later = quantile(BOUNDS, histogram, high);
        if (found === undefined || later === undefined) {
          return histogram.count === 0;
        }
        const values = buckets.flatMap((count, index) => new Array<number>(count).fill(index));
        const bucket = values[Math.max(1, Math.ceil(low * values.length)) - 1] as number;
        const lower = BOUNDS[bucket - 1] ?? 0;
        const upper = BOUNDS[bucket] ?? lower;
        return (
          found.milliseconds >= lower &&
          found.milliseconds <= upper + 1e-12 &&
          found.isAbove === (bucket === BOUNDS.length) &&
          later.milliseconds >= found.milliseconds
        );
      }),
    );
  });

  t.test('of what came between two readings', async () => {
    fc.assert(
      fc.property(someBuckets, someBuckets, (before, more) => {
        const now = histogramOf(before.map((count, index) => count + (more[index] as number)));
        const between = difference(now, histogramOf(before));
        return (
          JSON.stringify(between.buckets) === JSON.stringify(more) &&
          between.count === histogramOf(more).count
        );
      }),
    );
    t.same(difference(histogramOf([1, 2]), undefined), histogramOf([1, 2]));
  });
});

const reading = (at: number, served: number, startedAt = 0) => ({
  ...{ at, startedAt },
  outcomes: { served, crashed: 0, killed: 0, refused: 0 },
});

t.test('readings', async (t) => {
  t.test('rates are what came a second', async (t) => {
    const readings = new Readings();
    t.equal(readings.latest, undefined);
    readings.add(reading(1_000, 10));
    t.equal(readings.aMinuteAgo, undefined, 'one alone is no difference');
    t.same(readings.rates, []);
    readings.add(reading(3_000, 30));
    t.match(readings.rates, [{ at: 3_000, served: 10, crashed: 0 }]);
    t.match(readings.aMinuteAgo, { at: 1_000 });
  });

  t.test('a server that was started anew begins anew, and its rates go on', async (t) => {
    const readings = new Readings();
    readings.add(reading(1_000, 10));
    readings.add(reading(2_000, 20));
    readings.add(reading(9_000, 5, 8_000));
    t.equal(readings.aMinuteAgo, undefined);
    t.equal(readings.rates.length, 1, 'no rate is below zero');
    readings.add(reading(10_000, 8, 8_000));
    t.match(readings.rates, [{ served: 10 }, { served: 3 }]);
  });

  t.test('the same moment, and a clock that goes back', async (t) => {
    const readings = new Readings();
    readings.add(reading(5_000, 1));
    readings.add(reading(5_000, 2));
    readings.add(reading(4_000, 3));
    t.same(readings.rates, []);
    t.match(readings.latest, { at: 4_000 });
  });

  t.test('no more is kept than is shown', async () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90_000 }), { maxLength: 60 }), (steps) => {
        const readings = new Readings();
        const times: number[] = [];
        for (const [index, step] of steps.entries()) {
          times.push((times.at(-1) ?? 0) + step);
          readings.add(reading(times.at(-1) as number, index));
        }
        const now = times.at(-1) ?? 0;
        const first = times.filter((at) => at <= now - WINDOW_MILLISECONDS).at(-1) ?? times[0];
        return (
          readings.rates.every(({ at, served }) => at >= now - RATES_MILLISECONDS && served >= 0) &&
          (times.length < 2 || now === first || readings.aMinuteAgo?.at === first)
        );
      }),
    );
  });
});

t.test('the field of cells', async (t) => {
  t.test('cells hatch and vanish, spawned ones stay', async (t) => {
    const field = new Field(10, () => 0);
    field.hatch('served', 0);
    field.spawn('i-1', 0);
    field.spawn('i-1', 0);
    t.equal(field.size, 2);
    t.ok(field.isMoving);
    field.sweep(LIFE_MILLISECONDS);
    t.same(
      field.cells.filter((cell) => cell !== undefined).map(({ kind }) => kind),
      ['spawned'],
    );
    t.notOk(field.isMoving);
    t.ok(field.answer('i-1', 5));
    t.notOk(field.answer('i-2', 5));
    field.end('i-2', 10);
    field.end('i-1', 10);
    t.notOk(field.answer('i-1', 11), 'it has ended');
    field.sweep(10 + END_MILLISECONDS);
    t.equal(field.size, 0);
  });

  t.test('one that is full lets the oldest go, and never those that live', async (t) => {
    const field = new Field(3);
    field.spawn('i-1', 0);
    for (let now = 0; now < 100; now += 1) {
      field.hatch('served', now);
    }
    t.equal(field.size, 3);
    t.ok(field.answer('i-1', 100));
    t.same(
      field.cells.map((cell) => (cell?.kind === 'served' ? cell.hatchedAt : 0)).sort(),
      [0, 98, 99],
    );
    const full = new Field(1);
    full.spawn('i-1', 0);
    full.spawn('i-2', 0);
    full.hatch('crashed', 0);
    t.equal(full.size, 1);
    new Field(0).hatch('served', 0);
  });

  t.test('agrees with the server about who lives', async (t) => {
    const field = new Field(10);
    field.reconcile(['a', 'b'], 0);
    field.reconcile(['b', 'c'], 1);
    field.sweep(1 + END_MILLISECONDS);
    t.equal(field.size, 2);
    t.notOk(field.answer('a', 2));
    t.ok(field.answer('c', 2));
  });

  t.test('whatever happens, no place is lost', async () => {
    const step = fc.tuple(fc.constantFrom('hatch', 'spawn', 'end', 'sweep'), fc.nat(5));
    fc.assert(
      fc.property(fc.nat(6), fc.array(step, { maxLength: 80 }), (capacity, steps) => {
        const field = new Field(capacity);
        let now = 0;
        for (const [what, which] of steps) {
          now += 200 * which;
          if (what === 'hatch') field.hatch('served', now);
          else if (what === 'spawn') field.spawn(`i-${which}`, now);
          else if (what === 'end') field.end(`i-${which}`, now);
          else field.sweep(now);
          if (field.cells.filter((cell) => cell !== undefined).length !== field.size) return false;
        }
        for (let which = 0; which <= 5; which += 1) field.end(`i-${which}`, now);
        field.sweep(now + 10_000);
        return field.size === 0 && field.cells.length === capacity;
      }),
    );
  });
});

t.test('texts of numbers', async (t) => {
  const plain = (text: string) => text.replaceAll('\u202f', ' ');
  const durations = [
    [undefined, '–'],
    [Number.NaN, '–'],
    [0, '0 µs'],
    [0.0043, '4.3 µs'],
    [0.043, '43 µs'],
    [0.9994, '999 µs'],
    [0.9996, '1.00 ms'],
    [9.996, '10.0 ms'],
    [99.96, '100 ms'],
    [999.6, '1.00 s'],
    [12_340, '12.3 s'],
  ] as const;
  for (const [given, text] of durations) {
    t.equal(plain(duration(given)), text);
  }
  const sizes = [
    [undefined, '–'],
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KiB'],
    [10 * 1_024, '10 KiB'],
    [1_023.9 * 1_024, '1.0 MiB'],
    [64 << 20, '64 MiB'],
    [24 * 2 ** 30, '24 GiB'],
    [2 ** 60, '1048576 TiB'],
  ] as const;
  for (const [given, text] of sizes) {
    t.equal(plain(bytes(given)), text);
  }
  t.equal(plain(whole(1_234_567)), '1 234 567');
  t.equal(plain(whole(999)), '999');
  t.equal(rate(0), '0');
  t.equal(rate(0.42), '0.4');
  t.equal(rate(42.4), '42');
  t.equal(plain(age(-5)), '0 s');
  t.equal(plain(age(59_999)), '59 s');
  t.equal(plain(age(60_000)), '1 min');
  t.equal(plain(age(7_200_000)), '2 h');
  t.equal(plain(age(86_400_000)), '1 d');
});

t.test('a text that is cut is whole characters', async (t) => {
  t.same(cut('abc', 3), { text: 'abc', omitted: 0 });
  t.same(cut('abcd', 3), { text: 'abc', omitted: 1 });
  t.same(cut('ab😀d', 3), { text: 'ab', omitted: 3 });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 10 }), (text, most) => {
      const { text: shown, omitted } = cut(text, most);
      return (
        text.startsWith(shown) &&
        shown.length + omitted === text.length &&
        !/[\ud800-\udbff]$/.test(shown)
      );
    }),
  );
});

t.test('headers as lines', async (t) => {
  t.same(parseHeaderLines(''), []);
  t.same(parseHeaderLines('Accept: text/html\r\n\nx-time:  12:30 \n'), [
    ['Accept', 'text/html'],
    ['x-time', '12:30'],
  ]);
  t.same(parseHeaderLines('x-empty:'), [['x-empty', '']]);
  for (const wrong of ['x', ': y', 'a: b\nc']) {
    t.throws(() => parseHeaderLines(wrong), /Line \d of the headers/, wrong);
  }
});

t.test('phases', async (t) => {
  t.same(inOrder(['zeta', 'end', 'guest', 'alpha', 'accept']), [
    ...['accept', 'guest', 'end', 'alpha', 'zeta'],
  ]);
  t.equal(totalOf({ accept: 1, guest: 2, end: 100, total: 3 }), 3);
  t.equal(onScale(0), 0);
  t.equal(onScale(0.001), 0);
  t.equal(onScale(10_000), 1);
  t.equal(onScale(1e9), 1);
  t.ok(Math.abs(onScale(1) - 3 / 7) < 1e-12);
});

t.test('who does not answer is asked less and less often, and never not at all', async (t) => {
  t.same([1, 2, 3, 4, 5, 1_000].map(retryAfter), [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});
