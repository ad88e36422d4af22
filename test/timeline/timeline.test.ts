import { test } from 'tap';
import { serverTimingEntry, Timeline } from '../../src/timeline.js';

test('only phases that have ended are shown, in order', async (t) => {
  const timeline = new Timeline();
  t.equal(timeline.toServerTiming(), '');
  timeline.guest = 0.0304;
  timeline.accept = 0.002;
  timeline.queue = 0;
  t.equal(timeline.toServerTiming(), 'accept;dur=0.002, queue;dur=0.000, guest;dur=0.030');
  t.strictSame(timeline.toJSON(), { accept: 0.002, queue: 0, guest: 0.0304 });
});

test('a cold start adds its phases', async (t) => {
  const timeline = new Timeline();
  timeline.spawn = 3;
  timeline.cold = { load: 1, create: 0.5, boot: 1.25, init: 0.25 };
  t.equal(
    timeline.toServerTiming(),
    'spawn;dur=3.000, load;dur=1.000, create;dur=0.500, boot;dur=1.250, init;dur=0.250',
  );
});

test('durations have microseconds, and no exponent', async (t) => {
  t.equal(serverTimingEntry('spawn', 0.013), 'spawn;dur=0.013');
  t.equal(serverTimingEntry('spawn', 1e-9), 'spawn;dur=0.000');
  t.equal(serverTimingEntry('guest', 10000.0005), 'guest;dur=10000.001');
});
