import t from 'tap';
import {
  atLeast,
  atMost,
  formatNumber,
  formatTable,
  missed,
  type Row,
} from '../../bench/harness/report.js';

const rows: Row[] = [
  {
    question: 'reset',
    figure: 'p50',
    value: 50.04,
    unit: 'µs',
    baseline: { name: 'posix_spawn', value: 104.2 },
    ratio: 0.4802,
    target: atMost(0.4802, 0.6, 'at most 0.6'),
    note: 'one process',
  },
  {
    question: 'http',
    figure: 'requests',
    value: 5000,
    unit: 'requests/s',
    target: atLeast(0.1, 0.2, 'at least 0.2'),
    note: 'one process',
  },
  { question: 'http', figure: 'p99', value: 0.5, unit: 'ms' },
];

t.test('the limit itself meets a target', async (t) => {
  t.equal(atMost(2, 2, '').met, true);
  t.equal(atMost(2.001, 2, '').met, false);
  t.equal(atLeast(2, 2, '').met, true);
  t.equal(atLeast(1.999, 2, '').met, false);
  t.equal(atMost(Number.NaN, 2, '').met, false, 'nothing measured meets nothing');
});

t.test('only rows with a missed target count as missed', async (t) => {
  t.same(missed(rows), [rows[1]]);
});

t.test('numbers have three significant digits', async (t) => {
  for (const [number, text] of [
    [0, '0'],
    [0.0123, '0.012'],
    [0.4802, '0.480'],
    [5.678, '5.68'],
    [50.04, '50.0'],
    [104.2, '104'],
    [46123.7, '46124'],
  ] as const) {
    t.equal(formatNumber(number), text);
  }
});

t.test('the table states each target and whether it is met', async (t) => {
  t.equal(
    formatTable(rows),
    [
      '       figure        measured         compared with       ratio  target        met',
      'reset  p50 [1]       50.0 µs          posix_spawn 104 µs  0.480  at most 0.6   yes',
      'http   requests [1]  5000 requests/s                             at least 0.2  NO',
      'http   p99           0.500 ms',
      '[1] one process',
    ].join('\n'),
  );
});
