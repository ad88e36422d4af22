/** How a request's trace goes on, or begins: spans, headers, samples. */
import { AlwaysOnSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import t from 'tap';
import type { FunctionRequest, Reply } from '../../src/fabric/message.js';
import { isSampled } from '../../src/front/sampling.js';
import { formatTraceparent, parseTraceparent } from '../../src/front/trace-context.js';
import { newSpanId, newTraceId } from '../../src/front/trace-ids.js';
import { beginSpan, type TracedAnswer } from '../../src/front/tracing.js';
import { replyWith, withFake } from './fake.js';
import { exchange, lines } from './http.js';

const ALWAYS = { share: 1, followsParent: true };
const NEVER = { share: 0, followsParent: true };
const hex = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .filter((text) => /[^0]/.test(text));

t.test('ids', async (t) => {
  const traces = Array.from({ length: 2_000 }, newTraceId);
  const spans = Array.from({ length: 2_000 }, newSpanId);
  t.equal(new Set([...traces, ...spans]).size, 4_000);
  t.ok(traces.every((id) => /^[0-9a-f]{32}$/.test(id)));
  t.ok(spans.every((id) => /^[0-9a-f]{16}$/.test(id)));
});

t.test('a trace goes on as its parent says', async () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (traceId, parent, flags) => {
      const given = `00-${traceId}-${parent}-${flags.toString(16).padStart(2, '0')}`;
      const headers = ['host', 'h', 'traceparent', given, 'tracestate', 'a=1', 'tracestate', 'b=2'];
      const { span, headers: onward } = beginSpan(headers, NEVER);
      const isTraced = flags % 2 === 1;
      return (
        span.traceId === traceId &&
        span.parentSpanId === parent &&
        span.spanId !== parent &&
        span.isSampled === isTraced &&
        onward.join('\n') ===
          [
            ...['host', 'h', 'traceparent', `00-${traceId}-${span.spanId}-0${isTraced ? 1 : 0}`],
            ...['tracestate', 'a=1,b=2'],
          ].join('\n')
      );
    }),
  );
});

t.test('whatever comes as a traceparent, what goes on is one', async () => {
  const almost = fc
    .tuple(fc.constantFrom('00', '01', 'ff', ''), fc.string(), hex(16), fc.string({ maxLength: 4 }))
    .map((parts) => parts.join('-'));
  fc.assert(
    fc.property(fc.oneof(fc.string(), almost), (given) => {
      const parsed = parseTraceparent(given);
      const headers = parsed === undefined ? [] : ['traceparent', given];
      const { span, headers: onward } = beginSpan([...headers, 'tracestate', 'a=1'], ALWAYS);
      const again = parseTraceparent(onward[1] as string);
      return (
        again !== undefined &&
        formatTraceparent(again) === onward[1] &&
        again.spanId === span.spanId &&
        // A trace's state goes with it, and with no other.
        onward.includes('tracestate') === (parsed !== undefined)
      );
    }),
  );
});

t.test('it samples as the SDK does', async () => {
  fc.assert(
    fc.property(hex(32), fc.double({ min: 0, max: 1, noNaN: true }), (traceId, share) => {
      const sdk = share === 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(share);
      const { decision } = (sdk as TraceIdRatioBasedSampler).shouldSample({} as never, traceId);
      return isSampled({ share, followsParent: false }, traceId, undefined) === (decision === 2);
    }),
  );
});

t.test('a parent counts where it is asked for only', async (t) => {
  const traceId = newTraceId();
  t.equal(isSampled(NEVER, traceId, true), true);
  t.equal(isSampled(ALWAYS, traceId, false), false);
  t.equal(isSampled({ share: 1, followsParent: false }, traceId, false), true);
  t.equal(isSampled({ share: 0, followsParent: false }, traceId, true), false);
});

t.test('a front tells of each sampled request, once', async (t) => {
  const told: TracedAnswer[] = [];
  const answer = ({ url }: FunctionRequest): Reply => {
    if (url.endsWith('/broken')) {
      throw new Error('broken');
    }
    return replyWith('x', [], 201);
  };
  const tracing = { sampling: ALWAYS, report: (one: TracedAnswer) => told.push(one) };
  await withFake(
    answer,
    async ({ url }) => {
      const ask = (path: string, ...more: string[]) =>
        exchange(url, lines(`GET ${path} HTTP/1.1`, 'Host: h', ...more));
      await ask('/a?b=c');
      await ask('/', 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00');
      await ask('/broken');
    },
    { tracing },
  );
  t.match(told, [
    { url: 'http://h/a?b=c', status: 201, function: 'f', method: 'GET', error: undefined },
    { url: 'http://h/broken', status: 500, error: { code: 'INTERNAL' } },
  ]);
  t.equal(told.length, 2);
});
