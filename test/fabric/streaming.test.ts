/** Bodies that go in and come out chunk by chunk, and what ends them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { RESPONSE_MORE, RESPONSE_STREAM } from '../../src/channel.js';
import { type ByteStream, isWhole, type Reply } from '../../src/fabric/message.js';
import { callFrame, responseFrame, waitFrame, words } from '../channel/frames.js';
import { simulate } from './simulated-fabric.js';
import type { Step } from './simulator.js';

const URL = 'http://f/';
const begun: Step = {
  kind: 'respond',
  payload: responseFrame({ flags: RESPONSE_MORE | RESPONSE_STREAM }),
};
const ok: Step = { kind: 'respond', payload: responseFrame({ body: Buffer.from('ok') }) };
const push = (text: string, milliseconds?: number): Step => ({
  kind: 'push',
  payload: Buffer.from(text),
  ...(milliseconds !== undefined && { milliseconds }),
});
const first = (...steps: Step[]) => {
  let count = 0;
  return { serve: () => (count++ === 0 ? steps : [ok]) };
};

function streamOf(reply: Reply): AsyncIterator<Uint8Array> {
  if (isWhole(reply.body)) {
    throw new Error('the body is whole');
  }
  return reply.body[Symbol.asyncIterator]();
}

async function* chunks(...texts: string[]): ByteStream {
  for (const text of texts) {
    await sleep(5);
    yield Buffer.from(text);
  }
}

test('a streamed response is there with its head', async (t) => {
  const { driver, fabric, fn } = await simulate(
    first(begun, push('one', 40), push('two', 40), push('')),
  );
  const start = performance.now();
  const stream = streamOf(await fn.request({ url: URL }));
  t.ok(performance.now() - start < 35, 'the head does not wait for the body');
  t.equal(String((await stream.next()).value), 'one');
  t.ok(performance.now() - start < 75, 'nor does one chunk for the next');
  t.equal(String((await stream.next()).value), 'two');
  t.strictSame(await stream.next(), { done: true, value: undefined });
  await sleep(5);
  t.equal(String((await fn.request({ url: URL })).body), 'ok');
  t.equal(driver.created, 2, 'its shell is used again');
  await fabric.close();
});

test('a guest sleeps until its chunk is taken', async (t) => {
  const { driver, fabric, fn } = await simulate(first(begun, push('one'), push('two'), push('')));
  const stream = streamOf(await fn.request({ url: URL }));
  await sleep(10);
  const before = driver.resumes.length;
  await sleep(20);
  t.equal(driver.resumes.length, before, 'it is not resumed meanwhile');
  await stream.next();
  await sleep(5);
  t.ok(driver.resumes.length > before);
  await stream.next();
  await stream.next();
  await fabric.close();
});

test('a reader that wants no more ends the instance', async (t) => {
  const { driver, fabric, fn } = await simulate(
    first(begun, push('one'), ...Array<Step>(1000).fill(push('x', 5))),
  );
  const stream = streamOf(await fn.request({ url: URL }));
  await stream.next();
  await stream.return?.();
  await sleep(20);
  t.equal(driver.shells.size <= 1, true, 'its shell is destroyed');
  t.equal(String((await fn.request({ url: URL })).body), 'ok');
  await fabric.close();
});

test('a body that breaks off throws where it breaks off', async (t) => {
  for (const [steps, code] of [
    [[begun, push('one'), { kind: 'crash' }], 'FUNCTION_CRASHED'],
    [[begun, push('one'), push('two', 60_000)], 'DEADLINE_EXCEEDED'],
    [[begun, push('one'), push('x'.repeat(100))], 'RESPONSE_BODY_TOO_LARGE'],
  ] as const) {
    const { fabric, fn } = await simulate(first(...(steps as readonly Step[])), {
      limits: { wallMilliseconds: 80, maxResponseBodyBytes: 50 },
    });
    const stream = streamOf(await fn.request({ url: URL }));
    t.equal(String((await stream.next()).value), 'one');
    await t.rejects(stream.next(), { code, requestId: /./ });
    t.equal(String((await fn.request({ url: URL })).body), 'ok', `the request after ${code}`);
    await fabric.close();
  }
});

test('a reader that is too slow meets the deadline', async (t) => {
  const { driver, fabric, fn } = await simulate(first(begun, push('one'), push('two')), {
    limits: { wallMilliseconds: 50 },
  });
  const stream = streamOf(await fn.request({ url: URL }));
  await sleep(90);
  t.ok(driver.shells.size <= 1);
  t.equal(String((await stream.next()).value), 'one', 'what was sent is read');
  await t.rejects(stream.next(), { code: 'DEADLINE_EXCEEDED' });
  await fabric.close();
});

test('a request comes in as the client sends it', async (t) => {
  const { driver, fabric, fn } = await simulate(
    first({ kind: 'pull' }, { kind: 'pull' }, { kind: 'pull' }, ok),
  );
  const rest = chunks('two', 'three');
  const request = { url: URL, method: 'POST', body: Buffer.from('one'), rest };
  t.equal(String((await fn.request(request)).body), 'ok');
  const given = driver.resumes.filter(({ reason }) => reason === 'chunk');
  t.strictSame(
    given.map(({ bytes }) => String(bytes)),
    ['two', 'three', ''],
  );
  await fabric.close();
});

test('a request that grows too large is refused as soon as it has', async (t) => {
  const { fabric, fn } = await simulate(first({ kind: 'pull' }, { kind: 'pull' }, ok), {
    limits: { maxRequestBodyBytes: 8 },
  });
  const rest = chunks('12345', '6789');
  await t.rejects(fn.request({ url: URL, method: 'POST', rest }), {
    code: 'REQUEST_BODY_TOO_LARGE',
    status: 413,
  });
  const read: Step[] = [
    { kind: 'call', payload: callFrame({ payload: words(0) }) },
    { kind: 'wait', payload: waitFrame() },
    { kind: 'call', payload: callFrame({ call: 2, payload: words(0) }) },
    { kind: 'wait', payload: waitFrame() },
    ok,
  ];
  const other = await simulate(first(...read), { limits: { maxRequestBodyBytes: 8 } });
  const request = { url: URL, method: 'POST', rest: chunks('12345', '6789') };
  await t.rejects(other.fn.request(request), { code: 'REQUEST_BODY_TOO_LARGE' });
  await Promise.all([fabric.close(), other.fabric.close()]);
});

test('a client that breaks off ends the instance', async (t) => {
  const { driver, fabric, fn } = await simulate(first({ kind: 'pull' }, ok));
  const rest = (async function* () {
    yield Buffer.from('x');
    throw new Error('connection lost');
  })();
  const request = { url: URL, method: 'POST', rest };
  await t.resolves(fn.request(request), 'who does not read on does not notice');
  const reader = await simulate(first({ kind: 'pull' }, { kind: 'pull' }, ok));
  const broken = (async function* () {
    yield Buffer.from('x');
    throw new Error('connection lost');
  })();
  await t.rejects(reader.fn.request({ url: URL, method: 'POST', rest: broken }), {
    code: 'INTERNAL',
    cause: { message: 'connection lost' },
  });
  await Promise.all([fabric.close(), reader.fabric.close()]);
  t.equal(driver.shells.size, 0);
});

test('a guest that waits is ended when nobody waits for it', async (t) => {
  const waits: Step[] = [{ kind: 'wait', payload: waitFrame(60_000) }, ok];
  const { driver, fabric, fn } = await simulate(first(...waits));
  const controller = new AbortController();
  const answer = fn.fetch(URL, { signal: controller.signal });
  await sleep(20);
  controller.abort();
  await t.rejects(answer, { name: 'AbortError' });
  t.equal(String((await fn.request({ url: URL })).body), 'ok');
  t.ok(driver.created >= 3, 'by another shell');
  await fabric.close();
});

test('a guest that waits for nothing has stalled', async (t) => {
  const { fabric, fn } = await simulate(first({ kind: 'wait', payload: waitFrame() }));
  await t.rejects(fn.request({ url: URL }), { code: 'FUNCTION_STALLED' });
  await fabric.close();
});

test('a guest that waits meets its deadline', async (t) => {
  const { fabric, fn } = await simulate(first({ kind: 'wait', payload: waitFrame(60_000) }), {
    limits: { wallMilliseconds: 60 },
  });
  const start = performance.now();
  await t.rejects(fn.request({ url: URL }), { code: 'DEADLINE_EXCEEDED' });
  const took = performance.now() - start;
  t.ok(took >= 59 && took < 200, `after ${took} ms`);
  await fabric.close();
});
