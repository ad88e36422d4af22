import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { responseFrame } from '../channel/frames.js';
import { simulate } from './simulated-fabric.js';

const URL = 'http://f/';
const slow = (milliseconds: number) => ({
  serve: () => [{ kind: 'respond' as const, milliseconds, payload: responseFrame() }],
});

test('a full queue answers OVERLOADED at once', async (t) => {
  const { fabric, fn } = await simulate(slow(50), { admission: { concurrency: 2, queue: 3 } });
  const inOrder: string[] = [];
  const outcomes = await Promise.all(
    Array.from({ length: 8 }, () =>
      fn
        .request({ url: URL })
        .then(
          () => 'served',
          (error: HatcheryError) => {
            t.match(error, { code: 'OVERLOADED', status: 503, details: { retryAfter: 1 } });
            return error.code;
          },
        )
        .then((outcome) => {
          inOrder.push(outcome);
          return outcome;
        }),
    ),
  );
  t.strictSame(inOrder.slice(0, 3), ['OVERLOADED', 'OVERLOADED', 'OVERLOADED'], 'none waited');
  t.equal(outcomes.filter((outcome) => outcome === 'served').length, 5);
  await fabric.close();
});

test('who waits for too long is sent away', async (t) => {
  const { fabric, fn } = await simulate(slow(90), {
    admission: { concurrency: 1, queue: 5, queueMilliseconds: 100 },
  });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, () => fn.request({ url: URL })),
  );
  const codes = outcomes.map((one) =>
    one.status === 'fulfilled' ? 'served' : (one.reason as HatcheryError).code,
  );
  t.strictSame(codes, ['served', 'served', 'OVERLOADED', 'OVERLOADED']);
  await fabric.close();
});

test('no more virtual machines live than the limit says', async (t) => {
  for (const strategy of ['boot', 'clone', 'pool', 'reset'] as const) {
    const { driver, fabric, fn } = await simulate(slow(2), {
      strategy,
      admission: { concurrency: 3, queue: 1000 },
    });
    let most = 0;
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        await fn.request({ url: URL });
        most = Math.max(most, driver.shells.size);
      }),
    );
    t.ok(most <= 3 + 4, `${strategy}: ${most}`);
    if (strategy !== 'reset') {
      t.ok(driver.created >= 60, `${strategy}: one for each request`);
    } else {
      t.ok(driver.created <= 5, `reset: ${driver.created} made for 60 requests`);
    }
    await fabric.close();
    t.equal(driver.shells.size, 0, `${strategy}: all are freed`);
    t.equal(driver.openSnapshots, 0, `${strategy}: so are the snapshots`);
  }
});

test('where none can be made, requests fail and nothing hangs', async (t) => {
  let failing = false;
  const { fabric, fn } = await simulate(
    {
      ...slow(0),
      createShell() {
        if (failing) {
          throw new HatcheryError('DRIVER_FAILED', { call: 'KVM_CREATE_VM', errno: 'EIO' });
        }
      },
    },
    { strategy: 'clone', admission: { concurrency: 2 } },
  );
  await sleep(20);
  failing = true;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, () => fn.request({ url: URL })),
  );
  const failed = outcomes.filter((one) => one.status === 'rejected');
  t.equal(failed.length, 6, 'four were made ahead');
  for (const { reason } of failed) {
    t.match(reason, { code: 'DRIVER_FAILED', requestId: /./ });
  }
  failing = false;
  t.equal((await fn.request({ url: URL })).status, 200);
  await fabric.close();
});

test('a shell that cannot be rewound is replaced', async (t) => {
  const { driver, fabric, fn } = await simulate({ ...slow(0), rewinds: false });
  for (let i = 0; i < 5; i += 1) {
    t.equal((await fn.request({ url: URL })).status, 200);
    await sleep(5);
  }
  t.ok(driver.created >= 6);
  t.ok(driver.shells.size <= 2);
  await fabric.close();
});

test('requests that are refused before they ran leave their shell as it was', async (t) => {
  const { driver, fabric, fn } = await simulate(slow(0));
  const long = { url: URL, headers: ['x', 'y'.repeat(300_000)] };
  await t.rejects(fn.request(long), { code: 'REQUEST_HEAD_TOO_LARGE', status: 431 });
  const wide = { url: URL, headers: ['x', 'y\nz'] };
  await t.rejects(fn.request(wide), { code: 'INVALID_ARGUMENT', status: 400 });
  await t.rejects(fn.request({ url: '/no-host' }), { code: 'INVALID_ARGUMENT' });
  await t.rejects(fn.request({ url: URL, method: 'POST', body: Buffer.alloc(5 << 20) }), {
    code: 'REQUEST_BODY_TOO_LARGE',
    status: 413,
  });
  t.equal((await fn.request({ url: URL })).status, 200);
  t.equal(driver.rewound, 0);
  await fabric.close();
});
