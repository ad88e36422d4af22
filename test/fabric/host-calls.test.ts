/** Host calls as a hostile guest makes them: what the fabric lets through, and when it ends the guest. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { CALL_KIND, decodeCall } from '../../src/call-frames.js';
import type { Resume } from '../../src/drivers/driver.js';
import { HatcheryError } from '../../src/errors.js';
import type { CallHandler, CallResult } from '../../src/fabric/host-calls/call-handler.js';
import { HostCalls } from '../../src/fabric/host-calls/host-calls.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/fabric/limits.js';
import { callFrame, words } from '../channel/frames.js';

const { fetch: FETCH, binding: BINDING, read: READ, cancel: CANCEL } = CALL_KIND;

type Serve = (payload: Uint8Array, signal: AbortSignal) => Promise<CallResult>;

function handler(serve: Serve): CallHandler {
  return {
    call: (payload, { signal }) => serve(payload, signal),
    close: async () => {},
  };
}

const echo: Serve = async (payload) => ({ payload });
const never: Serve = () => new Promise(() => {});

function hostCalls(serve: Serve, limits: Partial<Limits> = {}) {
  const fatal: unknown[] = [];
  const calls = new HostCalls({
    requestId: 'r',
    traceparent: undefined,
    tracestate: undefined,
    limits: { ...DEFAULT_LIMITS, ...limits },
    handlers: { fetch: handler(serve), binding: handler(serve) },
    readRequest: () => Buffer.from('body'),
    onFatal: (error) => fatal.push(error),
  });
  const enqueue = (frame: Parameters<typeof callFrame>[0]) =>
    calls.enqueue(decodeCall(callFrame(frame)));
  return { calls, enqueue, fatal };
}

interface Read {
  call: number;
  more: boolean;
  failed: boolean;
  payload: Buffer;
}

async function completionOf(next: Resume | Promise<Resume> | undefined): Promise<Read> {
  const resume = await next;
  if (resume?.reason !== 'completion') {
    throw new Error(`not a completion but ${resume?.reason}`);
  }
  const frame = Buffer.from(resume.bytes as Uint8Array);
  const flags = frame.readUInt32LE(4);
  return {
    call: frame.readUInt32LE(0),
    more: (flags & 1) !== 0,
    failed: (flags & 2) !== 0,
    payload: frame.subarray(16, 16 + frame.readUInt32LE(8)),
  };
}

const reportOf = ({ payload }: Read) => JSON.parse(payload.toString());

test('calls complete in the order in which they are done', async (t) => {
  const { calls, enqueue } = hostCalls(async (payload) => {
    await sleep(payload[0]);
    return { payload };
  });
  enqueue({ call: 1, kind: BINDING, payload: Buffer.from([40]) });
  enqueue({ call: 2, kind: FETCH, payload: Buffer.from([5]) });
  t.match(await completionOf(calls.next(undefined)), { call: 2, failed: false });
  t.match(await completionOf(calls.next(undefined)), { call: 1, failed: false });
  t.equal(calls.next(undefined), undefined, 'nothing can come any more');
});

test('payloads come and go in parts', async (t) => {
  const { calls, enqueue } = hostCalls(echo);
  const parts = [Buffer.alloc(200_000, 'a'), Buffer.alloc(200_000, 'b'), Buffer.alloc(3, 'c')];
  parts.forEach((payload, index) => {
    enqueue({ call: 9, kind: BINDING, more: index < 2, payload });
  });
  const back: Read[] = [];
  do {
    back.push(await completionOf(calls.next(undefined)));
  } while (back.at(-1)?.more);
  t.equal(back.length, 2);
  t.ok(Buffer.concat(back.map(({ payload }) => payload)).equals(Buffer.concat(parts)));
});

test('what breaks the protocol ends the guest', async (t) => {
  const { enqueue } = hostCalls(never);
  const invalid = { code: 'RESPONSE_INVALID', status: 502 };
  enqueue({ call: 1, kind: FETCH });
  t.throws(() => enqueue({ call: 1, kind: FETCH }), invalid, 'an id in flight');
  t.throws(() => enqueue({ call: 2, kind: READ, payload: Buffer.alloc(3) }), invalid, 'no id');
  enqueue({ call: 3, kind: FETCH, more: true });
  t.throws(() => enqueue({ call: 4, kind: FETCH }), invalid, 'a call inside another');
  t.throws(() => enqueue({ call: 3, kind: BINDING }), invalid, 'another kind');
});

test('the number of calls is limited, in all and at a time', async (t) => {
  const { calls, enqueue } = hostCalls(echo, { maxHostCalls: 3 });
  for (let call = 1; call <= 3; call += 1) {
    enqueue({ call, kind: BINDING });
    await completionOf(calls.next(undefined));
  }
  t.throws(() => enqueue({ call: 4, kind: BINDING }), {
    code: 'HOST_CALLS_EXCEEDED',
    details: { limit: 3, name: 'maxHostCalls' },
  });
  const flood = hostCalls(never, { maxHostCallsInFlight: 2 });
  flood.enqueue({ call: 1, kind: BINDING });
  flood.enqueue({ call: 2, kind: BINDING });
  t.throws(() => flood.enqueue({ call: 3, kind: BINDING }), {
    code: 'HOST_CALLS_EXCEEDED',
    details: { limit: 2, name: 'maxHostCallsInFlight' },
  });
  const uncollected = hostCalls(echo, { maxHostCallsInFlight: 2 });
  uncollected.enqueue({ call: 1, kind: BINDING });
  uncollected.enqueue({ call: 2, kind: BINDING });
  await sleep(5);
  t.throws(() => uncollected.enqueue({ call: 3, kind: BINDING }), { code: 'HOST_CALLS_EXCEEDED' });
});

test('too much fails the call and not the guest', async (t) => {
  const { calls, enqueue } = hostCalls(echo, { maxHostCallBytes: 10 });
  enqueue({ call: 1, kind: BINDING, more: true, payload: Buffer.alloc(8) });
  enqueue({ call: 1, kind: BINDING, more: false, payload: Buffer.alloc(8) });
  const refused = await completionOf(calls.next(undefined));
  t.match(refused, { call: 1, failed: true });
  t.match(reportOf(refused), { code: 'HOST_CALL_TOO_LARGE' });
  const large = hostCalls(async () => ({ payload: Buffer.alloc(11) }), { maxHostCallBytes: 10 });
  large.enqueue({ call: 1, kind: BINDING });
  t.match(reportOf(await completionOf(large.calls.next(undefined))), {
    code: 'HOST_CALL_TOO_LARGE',
  });
});

test('a call that takes too long fails, deaf handler or not', async (t) => {
  const signals: AbortSignal[] = [];
  const { calls, enqueue } = hostCalls(
    (_, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
    { hostCallMilliseconds: 20 },
  );
  enqueue({ call: 1, kind: BINDING });
  const late = await completionOf(calls.next(undefined));
  t.match(reportOf(late), { code: 'HOST_CALL_TIMEOUT' });
  t.equal(signals[0]?.aborted, true);
});

test('an error reaches the guest by name, message and code only', async (t) => {
  const { calls, enqueue } = hostCalls(async () => {
    throw Object.assign(new RangeError('no', { cause: 'secret' }), { code: 'E_NO', path: '/etc' });
  });
  enqueue({ call: 1, kind: BINDING });
  const report = reportOf(await completionOf(calls.next(undefined)));
  t.strictSame(report, { name: 'RangeError', message: 'no', code: 'E_NO' });
});

test('a cancelled call is forgotten, and its handler told', async (t) => {
  const signals: AbortSignal[] = [];
  const { calls, enqueue } = hostCalls((_, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  enqueue({ call: 1, kind: FETCH });
  enqueue({ call: 2, kind: CANCEL, payload: words(1) });
  t.equal(signals[0]?.aborted, true);
  t.equal(calls.next(undefined), undefined);
  enqueue({ call: 3, kind: CANCEL, payload: words(77) });
  t.equal(calls.next(undefined), undefined, 'one that never was is no matter');
});

function body(chunks: readonly string[], ended: () => void) {
  return (async function* () {
    try {
      for (const chunk of chunks) {
        yield Buffer.from(chunk);
      }
    } finally {
      ended();
    }
  })();
}

test('a body is read chunk by chunk', async (t) => {
  let ended = 0;
  const { calls, enqueue } = hostCalls(async () => ({
    payload: Buffer.from('head'),
    body: body(['one', 'two'], () => {
      ended += 1;
    }),
  }));
  const next = async () => completionOf(calls.next(undefined));
  enqueue({ call: 1, kind: FETCH });
  t.match(await next(), { call: 1, payload: Buffer.from('head') });
  const chunks: string[] = [];
  for (let call = 2; call < 6; call += 1) {
    enqueue({ call, kind: READ, payload: words(1) });
    const read = await next();
    chunks.push(read.failed ? reportOf(read).code : read.payload.toString());
  }
  t.strictSame(chunks, ['one', 'two', '', 'FETCH_FAILED']);
  t.equal(ended, 1);

  enqueue({ call: 7, kind: FETCH });
  await next();
  enqueue({ call: 8, kind: READ, payload: words(7) });
  await next();
  enqueue({ call: 9, kind: CANCEL, payload: words(7) });
  await sleep(1);
  t.equal(ended, 2, 'a cancelled body is ended');

  enqueue({ call: 10, kind: FETCH });
  await next();
  enqueue({ call: 11, kind: READ, payload: words(10) });
  await next();
  calls.close();
  await sleep(1);
  t.equal(ended, 3, 'so is one that is open at the end');
});

test('a body of which a read takes too long is dropped', async (t) => {
  let ended = 0;
  const { calls, enqueue } = hostCalls(
    async () => ({
      payload: Buffer.from('head'),
      body: {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          return: async () => {
            ended += 1;
            return { done: true, value: undefined };
          },
        }),
      },
    }),
    { hostCallMilliseconds: 20 },
  );
  enqueue({ call: 1, kind: FETCH });
  await completionOf(calls.next(undefined));
  enqueue({ call: 2, kind: READ, payload: words(1) });
  t.match(reportOf(await completionOf(calls.next(undefined))), { code: 'HOST_CALL_TIMEOUT' });
  t.equal(ended, 1);
  enqueue({ call: 3, kind: READ, payload: words(1) });
  t.match(reportOf(await completionOf(calls.next(undefined))), { code: 'FETCH_FAILED' });
});

test('of many unread bodies the oldest go', async (t) => {
  const { calls, enqueue } = hostCalls(
    async () => ({ payload: Buffer.from('head'), body: body(['x'], () => {}) }),
    { maxHostCallsInFlight: 2 },
  );
  for (let call = 1; call <= 3; call += 1) {
    enqueue({ call, kind: FETCH });
    await completionOf(calls.next(undefined));
  }
  enqueue({ call: 10, kind: READ, payload: words(1) });
  t.match(await completionOf(calls.next(undefined)), { failed: true });
  enqueue({ call: 11, kind: READ, payload: words(3) });
  t.match(await completionOf(calls.next(undefined)), { failed: false });
});

test("the request's own body is the call 0", async (t) => {
  const { calls, enqueue } = hostCalls(echo);
  enqueue({ call: 1, kind: READ, payload: words(0) });
  t.match(await completionOf(calls.next(undefined)), { payload: Buffer.from('body') });
});

test('timers wait, but never less than a millisecond', async (t) => {
  const { calls, enqueue } = hostCalls(never);
  const nanoseconds = (milliseconds: number) =>
    process.hrtime.bigint() + BigInt(milliseconds * 1e6);
  const start = performance.now();
  t.match(await calls.next(nanoseconds(20)), { reason: 'timer' });
  t.ok(performance.now() - start >= 19);
  const spinning = performance.now();
  for (let i = 0; i < 5; i += 1) {
    t.match(await calls.next(0n), { reason: 'timer' });
  }
  t.ok(performance.now() - spinning >= 4, 'a timer in the past is no busy loop');
  enqueue({ call: 1, kind: BINDING });
  t.match(await calls.next(nanoseconds(5)), { reason: 'timer' }, 'it comes before the call');
});

test('after the end nothing wakes anybody', async (t) => {
  const { calls, enqueue } = hostCalls(async (payload) => {
    await sleep(5);
    return { payload };
  });
  enqueue({ call: 1, kind: BINDING });
  let woken = false;
  void (calls.next(undefined) as Promise<Resume>).then(() => {
    woken = true;
  });
  calls.close();
  await sleep(15);
  t.equal(woken, false);
});

test('where the body of the request breaks off, the instance is ended', async (t) => {
  const broken = new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit: 1 });
  const fatal: unknown[] = [];
  const calls = new HostCalls({
    requestId: 'r',
    traceparent: undefined,
    tracestate: undefined,
    limits: DEFAULT_LIMITS,
    handlers: { fetch: handler(echo), binding: handler(echo) },
    readRequest: () => Promise.reject(broken),
    onFatal: (error) => fatal.push(error),
  });
  calls.enqueue(decodeCall(callFrame({})));
  await sleep(1);
  t.strictSame(fatal, [broken]);
});
