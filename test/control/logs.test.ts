/** What is kept of logs is bounded, whatever functions write. */
import t from 'tap';
import { LogStore } from '../../src/control/logs/log-store.js';
import { HatcheryError } from '../../src/errors.js';
import { ObservationBuffer, observe } from '../../src/supervisor/observations.js';
import { RecentRequests } from '../../src/supervisor/recent-requests.js';
import { Timeline } from '../../src/timeline.js';

const line = (text: string) => ({ at: 0, level: 'info', text });

t.test('lines of a log', async (t) => {
  const logs = new LogStore();
  logs.append('f', line('lost'));
  t.same(logs.tail('f', 10), [], 'nothing is kept of whom nobody knows');
  logs.keep('f');
  for (let count = 0; count < 1_500; count += 1) {
    logs.append('f', line(String(count)));
  }
  t.equal(logs.tail('f', 10_000).length, 1_000);
  t.equal(logs.tail('f', 1)[0]?.text, '1499');
  t.same(logs.tail('f', 0), []);
  for (let count = 0; count < 100; count += 1) {
    logs.append('f', line('x'.repeat(8_192)));
  }
  const kept = logs.tail('f', 10_000).reduce((sum, { text }) => sum + text.length, 0);
  t.ok(kept <= 128 * 1024, `${kept} characters`);
  const heard: string[] = [];
  const stop = logs.listen('f', ({ text }) => heard.push(text));
  logs.append('f', line('a'));
  stop();
  logs.append('f', line('b'));
  t.same(heard, ['a']);
  logs.forget('f');
  t.same(logs.tail('f', 10), []);
});

t.test('texts, places and requests', async (t) => {
  const told: string[] = [];
  const buffer = new ObservationBuffer((all) => {
    for (const one of all) {
      told.push(one.kind === 'log' ? one.text : '');
    }
  });
  buffer.add({ kind: 'log', at: 0, level: 'info', text: 'x'.repeat(100_000) });
  buffer.flush();
  t.equal(told[0]?.length, 8_192);
  const answered = {
    ...{ requestId: 'r', function: 'f', method: 'GET', status: 500, timeline: new Timeline() },
    error: new HatcheryError('FUNCTION_THREW', { trace: 'x'.repeat(100_000) }),
  };
  const crashed = observe(answered);
  t.equal(crashed.kind === 'crashed' && crashed.where.length, 2_048);
  const recent = new RecentRequests(2);
  for (const requestId of ['a', 'b', 'c']) {
    recent.add(observe({ ...answered, requestId }));
  }
  recent.add({ kind: 'ended', at: 0, requestId: 'd', reason: '' });
  t.equal(recent.get('a'), undefined);
  t.match(recent.get('b'), { kind: 'crashed' });
  t.match(recent.get('c'), { kind: 'crashed' });
  t.equal(recent.get('d'), undefined);
});
