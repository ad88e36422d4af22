/** What is told of a request before all of it is known, and what is believed of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'tap';
import type { Answered } from '../../src/front/observer.js';
import { isFromWorker } from '../../src/supervisor/messages.js';
import {
  type Observation,
  ObservationBuffer,
  observe,
  type RequestOutcome,
} from '../../src/supervisor/observations.js';
import { RecentRequests } from '../../src/supervisor/recent-requests.js';
import { Timeline } from '../../src/timeline.js';
import { Meter } from '../../src/usage.js';

const REMAINS = { memory: { dirtyBytes: 4_096, usedBytes: 8_192 }, cpuMicroseconds: 0 };
const LATE = { dirtyMemoryBytes: 4_096, peakMemoryBytes: 8_192 };

/** A request that was answered by an instance which is not gone yet, or `isOver`. */
function answered(requestId: string, isOver = false): Answered {
  const timeline = new Timeline();
  const meter = new Meter();
  timeline.meter = meter;
  meter.cpuMicroseconds = 10;
  timeline.guest = 1;
  if (isOver) {
    timeline.noteEnd(1, REMAINS);
  }
  return { requestId, function: 'f', method: 'GET', status: 200, timeline };
}

const ids = (observations: readonly Observation[]) => observations.map((one) => one.requestId);

test('an outcome is completed when the instance is gone', async (t) => {
  const recent = new RecentRequests();
  const request = answered('r');
  const outcome = observe(request);
  recent.add(outcome);
  const told = { ...outcome };
  t.match(recent.get('r'), {
    kind: 'served',
    timeline: { guest: 1 },
    usage: { cpuMicroseconds: 10 },
  });
  t.equal(recent.get('r')?.timeline.end, undefined);
  const { timeline } = request;
  timeline.guest = 5;
  (timeline.meter as Meter).cpuMicroseconds = 20;
  timeline.noteEnd(0.5, REMAINS);
  t.match(recent.get('r'), {
    ...{ kind: 'served', timeline: { guest: 5, end: 0.5 } },
    usage: { cpuMicroseconds: 20, ...LATE },
  });
  t.strictSame(told.timeline, { guest: 1 }, 'what was told before is as it was told');
});

test('outcomes are told complete, in order, where that takes moments', async (t) => {
  const told: string[] = [];
  const usages: RequestOutcome['usage'][] = [];
  const buffer = new ObservationBuffer((batch) => {
    told.push(ids(batch).join());
    usages.push(...batch.map((one) => (one as RequestOutcome).usage));
  });
  const late = answered('b');
  for (const request of [answered('a', true), late, answered('c'), answered('d', true)]) {
    buffer.add(observe(request));
  }
  await sleep(150);
  t.same(told, ['a'], 'the next one is held back, and what is behind it');
  late.timeline.noteEnd(1, REMAINS);
  await sleep(100);
  t.same(told, ['a', 'b,c,d'], 'but once only');
  t.match(usages, [LATE, LATE, { cpuMicroseconds: 10 }, LATE]);
  t.equal(usages[2]?.dirtyMemoryBytes, undefined);
  buffer.add(observe(answered('e')));
  buffer.flush();
  t.same(told, ['a', 'b,c,d', 'e'], 'at the end nothing is held back');
});

test('what a worker says of usage is checked', async (t) => {
  const usage = { cpuMicroseconds: 1, bytesIn: 2, bytesOut: 3, hostCalls: 4, ...LATE };
  const outcome = (given: unknown) => ({
    ...{ kind: 'served', at: 0, method: 'GET', status: 200, timeline: {}, usage: given },
  });
  const messages = (given: unknown) => [
    { type: 'observed', observations: [outcome(given)], omitted: 0 },
    { type: 'found', call: 1, outcome: outcome(given) },
    {
      ...{ type: 'replied', call: 1 },
      reply: { requestId: 'r', status: 200, headers: [], body: '', timeline: {}, usage: given },
    },
  ];
  const isBelieved = (given: unknown) => messages(given).map((message) => isFromWorker(message));
  t.same(isBelieved(usage), [true, true, true]);
  t.same(isBelieved(undefined), [true, true, true], 'no instance had it');
  const { peakMemoryBytes: _, dirtyMemoryBytes: __, ...early } = usage;
  t.same(isBelieved(early), [true, true, true]);
  const wrong = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, '1', null, {}];
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(usage)), fc.constantFrom(...wrong), (name, value) =>
      isBelieved({ ...usage, [name]: value }).every((believed) => !believed),
    ),
  );
  for (const given of [null, 1, [], {}, { ...early, hostCalls: undefined }]) {
    t.same(isBelieved(given), [false, false, false], JSON.stringify(given));
  }
});
