/** What each request used: with every strategy of the driver under test, and as a script says. */
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'tap';
import { CALL_KIND } from '../../src/call-frames.js';
import { RESPONSE_BACKGROUND, RESPONSE_ERROR, RESPONSE_MORE } from '../../src/channel.js';
import { DEFAULT_LIMITS } from '../../src/fabric/limits.js';
import {
  type DeployedFunction,
  type FunctionRequest,
  type Instance,
  type RequestParts,
  Timeline,
  type Usage,
  usageOf,
} from '../../src/index.js';
import { callFrame, responseFrame, waitFrame } from '../channel/frames.js';
import {
  milliseconds,
  repetitions,
  strategiesOf,
  tested,
  untestable,
  waitedOut,
} from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';
import { simulate } from './simulated-fabric.js';
import { MEMORY_USE, type Step } from './simulator.js';

const MEBIBYTE = 1024 * 1024;
const WRITTEN = 4 * MEBIBYTE;
/** Pages that a request writes besides, and what of its last request a garbage collector leaves. */
const SLACK = MEBIBYTE;
const CPU_MILLISECONDS = waitedOut(400);
const LOOPS = repetitions(5_000_000, 1_000_000);
const URL = 'http://f/';

const SOURCE = `
  export default {
    async fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (pathname === '/burn') {
        let sum = 0;
        for (let i = 0; i < ${LOOPS}; i++) sum += i;
        return new Response(String(sum));
      }
      if (pathname === '/write') return new Response(String(new Uint8Array(${WRITTEN}).fill(7)[1]));
      if (pathname === '/call') {
        for (let i = 0; i < 3; i++) await env.host.call('x');
        return new Response('ok');
      }
      if (pathname === '/throw') throw new Error('no');
      if (pathname === '/abandon') await env.host.call('x');
      if (pathname === '/abandon' || pathname === '/loop') for (;;);
      return new Response(await request.text());
    },
  };
`;

/** All that a request used in the end, whatever became of it. */
async function used(
  target: Pick<Instance, 'request'> | DeployedFunction,
  parts: Partial<RequestParts> = {},
): Promise<Usage | undefined> {
  const timeline = new Timeline();
  const whole = { url: URL, ...parts };
  if ('handle' in target) {
    const { url, method = 'GET', headers = [], body, rest } = whole;
    await Promise.resolve()
      .then(() => target.handle({ id: 'r', url, method, headers, body, rest }, timeline))
      .catch(() => {});
  } else {
    await target.request(whole, timeline).catch(() => {});
  }
  await new Promise<void>((resolve) => timeline.whenOver(resolve));
  return timeline.usage;
}

/** The same where whoever asked goes away some time after the guest has `called`. */
async function usedUntilGone(
  fn: DeployedFunction,
  url: string,
  called: Promise<unknown>,
): Promise<Usage | undefined> {
  const timeline = new Timeline();
  const request: FunctionRequest = { id: 'r', url, method: 'GET', headers: [], body: undefined };
  const answer = Promise.resolve(fn.handle(request, timeline)).catch(() => {});
  await called;
  await sleep(milliseconds(100));
  request.onGone?.();
  await answer;
  await new Promise<void>((resolve) => timeline.whenOver(resolve));
  return timeline.usage;
}

/** A processor that others want, too, makes single figures larger. */
async function leastOf(count: number, take: () => Promise<number | undefined>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let taken = 0; taken < count; taken += 1) {
    least = Math.min(least, (await take()) ?? least);
  }
  return least;
}

const hasMemory = tested.xenType !== 'pv';

/** All of them, or two where each costs much. */
const STRATEGIES = strategiesOf('reset', 'clone', 'pool', 'boot').slice(0, repetitions(4, 2));

for (const strategy of STRATEGIES) {
  test(`usage with ${strategy}`, { skip: untestable }, async (t) => {
    await using fabric = await openFabric();
    const calls = new EventEmitter();
    const call = async () => {
      calls.emit('call');
      return 'y';
    };
    const fn = await deploy(fabric, {
      name: 'f',
      source: SOURCE,
      strategy,
      bindings: { host: { call } },
      limits: { wallMilliseconds: 60_000, cpuMilliseconds: CPU_MILLISECONDS },
    });
    const idle = (await used(fn)) as Usage;
    t.match(idle, { bytesIn: 0, bytesOut: 0, hostCalls: 0 });
    const burnt = (await used(fn, { url: `${URL}burn` })) as Usage;
    const idleMicroseconds = await leastOf(5, async () => (await used(fn))?.cpuMicroseconds);
    t.ok(idleMicroseconds > 0);
    const times = `${burnt.cpuMicroseconds} us and ${idleMicroseconds} us`;
    t.ok(burnt.cpuMicroseconds > 10 * idleMicroseconds, `who burns time is charged: ${times}`);
    const body = Buffer.alloc(12_345, 'b');
    t.match(await used(fn, { method: 'POST', body }), { bytesIn: 12_345, bytesOut: 12_345 });
    t.match(await used(fn, { url: `${URL}call` }), { hostCalls: 3, bytesOut: 2 });
    t.match(await used(fn, { url: `${URL}throw` }), { bytesOut: 0, hostCalls: 0 });
    const killed = (await used(fn, { url: `${URL}loop` })) as Usage;
    const limit = 1_000 * milliseconds(CPU_MILLISECONDS);
    t.ok(killed.cpuMicroseconds >= limit, 'one that is killed counts, too');
    const abandoned = await usedUntilGone(fn, `${URL}abandon`, once(calls, 'call'));
    t.ok((abandoned?.cpuMicroseconds ?? 0) > 1_000, 'one that nobody waits for counts, too');

    if (!hasMemory) {
      t.equal(idle.dirtyMemoryBytes, undefined);
      t.equal(idle.peakMemoryBytes, undefined);
      return;
    }
    t.ok((killed.dirtyMemoryBytes ?? 0) > 0, 'and what it wrote');
    // Twice: the second may find a machine that has written before.
    for (let round = 1; round <= repetitions(2); round += 1) {
      const before = (await used(fn)) as Required<Usage>;
      const wrote = (await used(fn, { url: `${URL}write` })) as Required<Usage>;
      const after = (await used(fn)) as Required<Usage>;
      const more = wrote.dirtyMemoryBytes - before.dirtyMemoryBytes;
      t.ok(more >= WRITTEN - SLACK && more < WRITTEN + SLACK, `${more} in round ${round}`);
      t.ok(wrote.dirtyMemoryBytes >= WRITTEN);
      const higher = wrote.peakMemoryBytes - before.peakMemoryBytes;
      t.ok(higher >= WRITTEN - SLACK && higher < WRITTEN + SLACK, `${higher} higher`);
      t.ok(Math.abs(after.dirtyMemoryBytes - before.dirtyMemoryBytes) < SLACK, 'others are not');
      for (const usage of [before, wrote, after]) {
        t.ok(usage.peakMemoryBytes >= usage.dirtyMemoryBytes);
        t.ok(usage.peakMemoryBytes <= DEFAULT_LIMITS.memoryBytes);
      }
    }
    const instance = await fn.spawn();
    const first = (await used(instance, { url: `${URL}write` })) as Required<Usage>;
    t.ok(first.dirtyMemoryBytes >= WRITTEN);
    const second = (await used(instance)) as Required<Usage>;
    t.ok(second.dirtyMemoryBytes >= first.dirtyMemoryBytes, 'an instance keeps what it wrote');
    const last = (await used(instance, { url: `${URL}loop` })) as Required<Usage>;
    t.ok(last.dirtyMemoryBytes >= WRITTEN, 'also when that ends it');
  });
}

test('the library tells it when the instance is gone', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'f', source: SOURCE });
  const response = await fn.fetch(URL, { method: 'POST', body: 'abc' });
  t.equal(await response.text(), 'abc');
  t.match(await usageOf(response), { cpuMicroseconds: Number, bytesIn: 3, bytesOut: 3 });
  t.equal(await usageOf(new Response()), undefined);
});

const ok: Step = { kind: 'respond', payload: responseFrame({ body: Buffer.from('ok') }) };
const memory = {
  dirtyMemoryBytes: MEMORY_USE.dirtyBytes,
  peakMemoryBytes: MEMORY_USE.usedBytes,
};

test('the memory comes late, with the end', async (t) => {
  const { fabric, fn } = await simulate({ serve: () => [ok] });
  const { timeline } = await fn.request({ url: URL });
  const early = { cpuMicroseconds: 10, bytesIn: 0, bytesOut: 2, hostCalls: 0 };
  t.strictSame(timeline.usage, early);
  t.ok(timeline.isStopped && !timeline.isOver);
  t.equal(timeline.end, undefined);
  await new Promise<void>((resolve) => timeline.whenOver(resolve));
  t.strictSame(timeline.usage, { ...early, ...memory });
  t.type(timeline.end, 'number');
  await fabric.close();
});

test('a shell that cannot be rewound, or fails, is accounted for when it is destroyed', async (t) => {
  const crashes: Step[] = [{ kind: 'crash', cpuMicroseconds: 77 }];
  for (const [script, cpuMicroseconds] of [
    [{ serve: () => [ok], rewinds: false }, 10],
    [{ serve: () => crashes }, 77],
  ] as const) {
    const { fabric, fn } = await simulate(script);
    t.match(await used(fn), { cpuMicroseconds, ...memory });
    await fabric.close();
  }
});

test('work in the background counts, and is waited for', async (t) => {
  const payload = responseFrame({ flags: RESPONSE_BACKGROUND, body: Buffer.from('ok') });
  const steps: Step[] = [
    { kind: 'respond', payload },
    { kind: 'finish', milliseconds: 50, cpuMicroseconds: 5_000 },
  ];
  const { fabric, fn } = await simulate({ serve: () => steps });
  const { timeline } = await fn.request({ url: URL });
  t.match(timeline.usage, { cpuMicroseconds: 10, bytesOut: 2 });
  t.notOk(timeline.isStopped);
  await new Promise<void>((resolve) => timeline.whenOver(resolve));
  t.match(timeline.usage, { cpuMicroseconds: 5_010, bytesOut: 2, ...memory });
  await fabric.close();
});

test('a request that no instance got used nothing', async (t) => {
  const { fabric, fn } = await simulate({ serve: () => [ok] });
  const tooLarge = ['x-a', 'x'.repeat(DEFAULT_LIMITS.maxRequestHeadBytes)];
  t.equal(await used(fn, { headers: tooLarge }), undefined);
  await fabric.close();
});

test('bodies and calls are counted exactly, however they come', async (t) => {
  const part = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom('binding' as const, 'cancel' as const),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.nat(5_000),
      fc.array(fc.nat(5_000), { maxLength: 3 }),
      fc.array(part, { maxLength: 8 }),
      fc.boolean(),
      async (there, rest, parts, isError) => {
        const calls = parts.filter((part) => typeof part === 'string');
        const pieces = parts.filter((part) => typeof part === 'number');
        const flags = RESPONSE_MORE | (isError ? RESPONSE_ERROR : 0);
        const steps: Step[] = [
          ...calls.flatMap((kind, index): Step[] => [
            { kind: 'call', payload: callFrame({ call: index + 1, kind: CALL_KIND[kind] }) },
            { kind: 'wait', payload: waitFrame(1) },
          ]),
          // One more for the end.
          ...[0, ...rest].map((): Step => ({ kind: 'pull' })),
          { kind: 'respond', payload: responseFrame({ flags }) },
          ...[...pieces, 0].map((bytes): Step => ({ kind: 'push', payload: Buffer.alloc(bytes) })),
        ];
        async function* chunks() {
          yield* rest.map((bytes) => Buffer.alloc(bytes));
        }
        const { fabric, fn } = await simulate({ serve: () => steps });
        const body = Buffer.alloc(there);
        const usage = await used(fn, { method: 'POST', body, rest: chunks() });
        await fabric.close();
        t.match(usage, {
          bytesIn: sum([there, ...rest]),
          bytesOut: isError ? 0 : sum(pieces),
          hostCalls: calls.filter((kind) => kind === 'binding').length,
        });
      },
    ),
    { numRuns: 40 },
  );
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
