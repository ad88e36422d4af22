/** The exporter by itself: what it drops, what it says of troubles, what it believes of a worker. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { TracedAnswer } from '../../src/front/tracing.js';
import { isFromWorker } from '../../src/supervisor/messages.js';
import {
  MOST_TRACED,
  TraceBuffer,
  type TracedRequest,
} from '../../src/supervisor/traced-requests.js';
import { Timeline } from '../../src/timeline.js';
import { SpanExporter } from '../../src/tracing/span-exporter.js';
import { Troubles } from '../../src/tracing/troubles.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import { Receiver } from './receiver.js';

const NOW = Date.now();
const REQUEST: TracedRequest = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  requestId: 'r-1',
  function: 'shop',
  driver: 'kvm',
  strategy: 'reset',
  method: 'GET',
  url: 'http://h/a',
  status: 200,
  start: NOW,
  end: NOW + 2,
  phases: [{ name: 'guest', start: NOW, end: NOW + 1 }],
};

t.test('what a worker says of its requests is checked', async (t) => {
  const message = (request: object) => ({ type: 'traced', requests: [request], omitted: 0 });
  t.ok(isFromWorker(message(REQUEST)));
  t.ok(isFromWorker(message({ ...REQUEST, parentSpanId: REQUEST.spanId, traceState: 'a=1' })));
  t.ok(isFromWorker({ type: 'traced', requests: [], omitted: 3 }));
  for (const wrong of [
    { traceId: '0'.repeat(32) },
    { traceId: 'x' },
    { spanId: undefined },
    { parentSpanId: '00F067AA0BA902B7' },
    { traceState: 'a'.repeat(513) },
    { url: 'a'.repeat(2_049) },
    { method: 'M'.repeat(129) },
    { status: 99 },
    { status: 200.5 },
    { start: -1 },
    { end: 1e300 },
    { end: null },
    { strategy: 'none' },
    { phases: [{ name: 'lunch', start: 1, end: 2 }] },
    { phases: Array.from({ length: 11 }, () => ({ name: 'guest', start: 1, end: 2 })) },
    { error: { code: 'A', type: 'A' } },
  ]) {
    t.notOk(isFromWorker(message({ ...REQUEST, ...wrong })), JSON.stringify(wrong).slice(0, 80));
  }
  const requests = Array.from({ length: MOST_TRACED + 1 }, () => REQUEST);
  t.notOk(isFromWorker({ type: 'traced', requests, omitted: 0 }), 'more than a worker may tell');
});

t.test('a process tells of so many at a time, and counts the rest', async (t) => {
  const told: [number, number][] = [];
  const report = (requests: readonly TracedRequest[], omitted: number) => {
    told.push([requests.length, omitted]);
    t.ok(isFromWorker(JSON.parse(JSON.stringify({ type: 'traced', requests, omitted }))));
  };
  const sampling = { share: 1, followsParent: true };
  const buffer = new TraceBuffer('kvm', { sampling, report });
  const { traceId, spanId } = REQUEST;
  const answer: TracedAnswer = {
    span: {
      traceId,
      spanId,
      parentSpanId: undefined,
      traceState: 'a'.repeat(600),
      isSampled: true,
    },
    ...{ requestId: 'r', function: 'f', strategy: 'reset', method: 'M'.repeat(500), status: 500 },
    ...{
      url: `http://h/${'a'.repeat(5_000)}?key=1`,
      error: new Error('x'),
      until: performance.now(),
    },
    timeline: new Timeline(),
  };
  for (let count = 0; count < MOST_TRACED + 5; count += 1) {
    buffer.report(answer);
  }
  buffer.flush();
  buffer.report(answer);
  buffer.flush();
  buffer.flush();
  t.same(told, [
    [MOST_TRACED, 5],
    [1, 0],
  ]);
});

t.test('spans that are too many for a receiver are dropped, and that is said', async (t) => {
  const receiver = new Receiver();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = await receiver.open();
  process.env.OTEL_BSP_MAX_QUEUE_SIZE = '100';
  t.teardown(() => {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    delete process.env.OTEL_BSP_MAX_QUEUE_SIZE;
    receiver.close();
  });
  receiver.answer = () => {};
  const { logger, lines } = collectingLogger();
  const sampling = { share: 1, followsParent: true };
  const exporter = new SpanExporter({ sampling, version: '1', logger });
  const many = Array.from({ length: 256 }, () => REQUEST);
  for (let count = 0; count < 40; count += 1) {
    exporter.report(many, 0);
  }
  exporter.report([], 7);
  await sleep(1_000);
  receiver.answer = (response) => response.end('{}');
  await exporter.close();
  const dropped = lines.filter(({ msg }) => /not traced/.test(msg)) as { requests?: number }[];
  const count = dropped.reduce((sum, { requests = 0 }) => sum + requests, 0);
  t.ok(count > 7, `${count} requests`);
  t.ok(lines.length < 6, JSON.stringify(lines));
  exporter.report([REQUEST], 0);
  t.same(receiver.problems, []);
});

t.test('what goes wrong again and again is said now and then', async (t) => {
  const { logger, lines } = collectingLogger();
  const troubles = new Troubles(logger, 100);
  for (let count = 0; count < 100; count += 1) {
    troubles.note(`refused ${'x'.repeat(1_000)}`);
    troubles.drop(2);
  }
  t.match(lines, [{ msg: 'spans cannot be exported', times: 1 }]);
  await sleep(300);
  t.match(lines.slice(1), [
    { msg: 'spans cannot be exported', times: 99, problem: /^refused x{400,492}$/ },
    { msg: /not traced/, requests: 200 },
  ]);
  troubles.note('last');
  troubles.note('last');
  troubles.close();
  t.match(lines.at(-1), { times: 1, problem: 'last' });
});
