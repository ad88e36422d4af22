import { test } from 'tap';
import { RESPONSE_BACKGROUND, RESPONSE_ERROR, RESPONSE_MORE } from '../../src/channel.js';
import { REQUEST_CAPACITY } from '../../src/drivers/driver.js';
import type { Reply } from '../../src/index.js';
import { logRecord, panicReport, responseFrame } from '../channel/frames.js';
import { collectingLogger } from './collecting-logger.js';
import { simulate } from './simulated-fabric.js';
import type { Step } from './simulator.js';

const URL = 'http://f/';
const ok: Step = { kind: 'respond', payload: responseFrame({ body: Buffer.from('ok') }) };

/** Serves `steps` to the first request and `ok` to all others. */
const first = (...steps: Step[]) => {
  let count = 0;
  return { serve: () => (count++ === 0 ? steps : [ok]) };
};

const text = async (reply: Promise<Reply>) => String((await reply).body);

test('a body comes in pieces and goes out in pieces', async (t) => {
  const piece = (body: string): Step => ({ kind: 'push', payload: Buffer.from(body) });
  const begun = responseFrame({ flags: RESPONSE_MORE, body: Buffer.from('a') });
  const { driver, fabric, fn } = await simulate(
    first(
      { kind: 'pull' },
      { kind: 'pull' },
      { kind: 'respond', payload: begun },
      piece('b'),
      piece('c'),
      piece(''),
    ),
  );
  const body = Buffer.alloc(REQUEST_CAPACITY + 10, 'x');
  t.equal(await text(fn.request({ url: URL, method: 'POST', body })), 'abc');
  const [request, rest, end, ...others] = driver.resumes;
  t.equal(request?.bytes?.length, REQUEST_CAPACITY);
  const sent = REQUEST_CAPACITY - 16 - `POST\0${URL}\0`.length;
  t.equal(rest?.reason, 'chunk');
  t.equal(rest?.bytes?.length, body.length - sent);
  t.strictSame([end?.reason, end?.bytes?.length], ['chunk', 0]);
  t.strictSame(
    others.map(({ reason }) => reason),
    ['continue', 'continue', 'continue'],
  );
  await fabric.close();
});

test('what breaks the protocol is RESPONSE_INVALID, and its shell is destroyed', async (t) => {
  const respondMore: Step = {
    kind: 'respond',
    payload: responseFrame({ flags: RESPONSE_MORE }),
  };
  const broken: Record<string, Step[]> = {
    'a malformed frame': [{ kind: 'respond', payload: Buffer.from('nonsense') }],
    'a malformed panic report': [{ kind: 'panic', payload: Buffer.from('x') }],
    'a push before the response': [{ kind: 'push', payload: Buffer.from('x') }],
    'a second response': [respondMore, ok],
    'ready once more': [{ kind: 'ready' }],
    'finish without background work': [{ kind: 'finish' }],
    'finish in the middle of a body': [respondMore, { kind: 'finish' }],
  };
  for (const [what, steps] of Object.entries(broken)) {
    const { driver, fabric, fn } = await simulate(first(...steps));
    await t.rejects(fn.request({ url: URL }), { code: 'RESPONSE_INVALID', status: 502 }, what);
    t.equal(await text(fn.request({ url: URL })), 'ok', `the next request after ${what}`);
    t.equal(driver.created, 3, 'one for the snapshot, one broken, one for the next request');
    await fabric.close();
  }
});

test('a guest that gives up gives a typed error', async (t) => {
  const { logger, lines } = collectingLogger();
  const panic = (reason: number): Step[] => [
    { kind: 'panic', payload: panicReport(reason, 'text') },
  ];
  for (const [steps, code] of [
    [panic(1), 'FUNCTION_CRASHED'],
    [panic(4), 'FUNCTION_STALLED'],
    [panic(5), 'MEMORY_EXCEEDED'],
    [[{ kind: 'crash' }], 'FUNCTION_CRASHED'],
    [[{ kind: 'respond', milliseconds: 60_000 }], 'DEADLINE_EXCEEDED'],
  ] as const) {
    const { fabric, fn } = await simulate(first(...steps), {
      limits: { wallMilliseconds: 50 },
      logger,
    });
    await t.rejects(fn.request({ url: URL }), { code, requestId: /./ });
    t.equal(await text(fn.request({ url: URL })), 'ok', `the next request after ${code}`);
    t.match(lines.pop(), { function: 'f', code, requestId: /./ });
    await fabric.close();
  }
});

test('what the handler throws is FUNCTION_THREW, and its shell is used again', async (t) => {
  const report = JSON.stringify({ name: 'TypeError', message: 'no', stack: '    at f (x.js:1:1)' });
  const payload = responseFrame({ flags: RESPONSE_ERROR, body: Buffer.from(report) });
  const { driver, fabric, fn } = await simulate(first({ kind: 'respond', payload }));
  await t.rejects(fn.request({ url: URL }), {
    code: 'FUNCTION_THREW',
    status: 500,
    details: { name: 'TypeError', trace: 'TypeError: no\n    at f (x.js:1:1)' },
    cause: { name: 'TypeError', message: 'no' },
  });
  t.equal(await text(fn.request({ url: URL })), 'ok');
  t.equal(driver.created, 2);
  await fabric.close();
});

test('a guest that exits for ever ends at its deadline, or when its time is used up', async (t) => {
  const forever = Array<Step>(1e5).fill({ kind: 'log' });
  for (const [limits, code] of [
    [{ wallMilliseconds: 200 }, 'DEADLINE_EXCEEDED'],
    [{ cpuMilliseconds: 20 }, 'CPU_EXCEEDED'],
  ] as const) {
    const { driver, fabric, fn } = await simulate(first(...forever), { limits });
    await t.rejects(fn.request({ url: URL }), { code, status: 504 });
    t.ok(code === 'DEADLINE_EXCEEDED' || driver.resumes.length < 1000, 'exits are charged for');
    await fabric.close();
  }
});

test('what a guest logs beyond its limit ends it', async (t) => {
  const step: Step = { kind: 'log', logs: logRecord(30, 'x'.repeat(4000)) };
  const { logger, lines } = collectingLogger();
  const { fabric, fn } = await simulate(first(...Array<Step>(1000).fill(step)), {
    limits: { maxLogBytes: 40_000 },
    logger,
  });
  await t.rejects(fn.request({ url: URL }), {
    code: 'LOG_EXCEEDED',
    status: 502,
    details: { limit: 40_000 },
  });
  t.equal(lines.filter((line) => line.msg.startsWith('xxx')).length, 10);
  t.equal(await text(fn.request({ url: URL })), 'ok');
  await fabric.close();
});

test('a response that is too large is refused as soon as it is', async (t) => {
  const steps: Step[] = [
    { kind: 'respond', payload: responseFrame({ flags: RESPONSE_MORE }) },
    ...Array.from({ length: 100 }, (): Step => ({ kind: 'push', payload: Buffer.alloc(100) })),
  ];
  const { driver, fabric, fn } = await simulate(first(...steps), {
    limits: { maxResponseBodyBytes: 250 },
  });
  await t.rejects(fn.request({ url: URL }), {
    code: 'RESPONSE_BODY_TOO_LARGE',
    details: { limit: 250 },
  });
  t.equal(driver.resumes.length, 4);
  await fabric.close();
});

test('background work goes on after the response, and its shell comes back', async (t) => {
  const { logger, lines } = collectingLogger();
  const payload = responseFrame({ flags: RESPONSE_BACKGROUND, body: Buffer.from('now') });
  const { driver, fabric, fn } = await simulate(
    first(
      { kind: 'respond', payload },
      { kind: 'log', milliseconds: 30, logs: logRecord(30, 'later') },
      { kind: 'finish' },
    ),
    { logger, admission: { concurrency: 1 } },
  );
  const start = performance.now();
  t.equal(await text(fn.request({ url: URL })), 'now');
  t.ok(performance.now() - start < 25, 'the response does not wait');
  t.equal(await text(fn.request({ url: URL })), 'ok');
  t.ok(performance.now() - start >= 29, 'the only place was taken until then');
  t.match(lines, [{ msg: 'later' }]);
  t.equal(driver.created, 2);
  await fabric.close();
});

test('an error does not end background work', async (t) => {
  const { logger, lines } = collectingLogger();
  const flags = RESPONSE_BACKGROUND | RESPONSE_ERROR;
  const payload = responseFrame({ flags, body: Buffer.from('{"message":"no"}') });
  const { driver, fabric, fn } = await simulate(
    first(
      { kind: 'respond', payload },
      { kind: 'log', milliseconds: 20, logs: logRecord(30, 'later') },
      { kind: 'finish' },
    ),
    { logger },
  );
  await t.rejects(fn.request({ url: URL }), { code: 'FUNCTION_THREW' });
  await fabric.close();
  t.match(lines, [{ code: 'FUNCTION_THREW' }, { msg: 'later' }]);
  t.equal(lines.length, 2);
  t.equal(driver.created, 2);
});

test('background work that never ends ends at the deadline', async (t) => {
  const { logger, lines } = collectingLogger();
  const payload = responseFrame({ flags: RESPONSE_BACKGROUND });
  const { driver, fabric, fn } = await simulate(
    first({ kind: 'respond', payload }, { kind: 'finish', milliseconds: 60_000 }),
    { logger, limits: { wallMilliseconds: 50 } },
  );
  await fn.request({ url: URL });
  await fabric.close();
  t.match(lines, [{ code: 'DEADLINE_EXCEEDED' }]);
  t.equal(driver.shells.size, 0);
});
