/** What happens in a process is told as far as that is cheap, and counted whole. */
import t from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { Counts } from '../../src/statistics/counts.js';
import { Teller } from '../../src/statistics/teller.js';
import { Chronicle } from '../../src/supervisor/chronicle.js';
import type { Observation } from '../../src/supervisor/observations.js';
import { Timeline } from '../../src/timeline.js';

const REQUESTS = 10_000;

t.test('more than can be told is counted all the same', (t) => {
  const told: Observation[] = [];
  let untold = 0;
  const chronicle = new Chronicle((observations, omitted) => {
    told.push(...observations);
    untold += omitted;
  });
  const load = { waiting: 0, queueLimit: 0, running: 0, limit: 0, spawned: 0 };
  const teller = new Teller({ load, function: () => undefined, functions: () => [] });
  chronicle.countBy(teller);
  const error = new HatcheryError('FUNCTION_THREW', { trace: 'x' });
  for (let count = 0; count < REQUESTS; count += 1) {
    const request = { requestId: `r-${count}`, function: 'f', method: 'GET', status: 200 };
    const answered = { ...request, timeline: new Timeline() };
    chronicle.answered(count % 4 === 0 ? { ...answered, error } : answered);
  }
  chronicle.add({ kind: 'log', at: 0, level: 'info', text: 'no request' });
  chronicle.flush();
  t.equal(told.length + untold, REQUESTS + 1);
  t.ok(untold > 0);
  t.match(chronicle.recent.get(`r-${REQUESTS - 1}`), { kind: 'served' });
  const counts = new Counts();
  for (const row of teller.tell().rows) {
    counts.add(row.counts);
  }
  t.match(counts.outcomes(), { served: REQUESTS * 0.75, crashed: REQUESTS * 0.25 });
  t.end();
});
