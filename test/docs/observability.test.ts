/** docs/observability.md names every metric with its labels, and its configuration scrapes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { expose } from '../../src/control/metrics/exposition.js';
import { Gathering } from '../../src/statistics/gathering.js';
import { COLD_PHASES, PHASES } from '../../src/timeline.js';
import { parse } from '../statistics/prometheus-text.js';

const file = fileURLToPath(new URL('../../../docs/observability.md', import.meta.url));
const page = readFileSync(file, 'utf8');

t.test('the table of metrics is what /metrics has', async (t) => {
  const gathering = new Gathering();
  const load = { waiting: 0, queueLimit: 1, running: 0, limit: 1, spawned: 0 };
  const told = { rows: [], pools: [], load, hasMore: false };
  gathering.join({ processId: process.pid, tell: async () => told }, '0');
  const { text } = await expose(await gathering.read(), { version: '1', driver: 'kvm' });
  const there = [...parse(text).values()].map(({ name, samples }) => {
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    labels.delete('le');
    return [name, [...labels].sort()] as const;
  });
  const rows = [...page.matchAll(/^\| (`hatchery_[^|]*) \|([^|]*)\|/gm)];
  const words = (cell = '') => [...cell.matchAll(/`(\w+)`/g)].map(([, word = '']) => word);
  const documented = rows.flatMap(([, names, labels]) =>
    words(names).map((name) => [name, words(labels).sort()] as const),
  );
  t.same([...documented].sort(), [...there].sort());
});

t.test('every phase is named', async (t) => {
  for (const phase of [...PHASES, ...COLD_PHASES]) {
    t.match(page, `\`${phase}\``);
  }
});
