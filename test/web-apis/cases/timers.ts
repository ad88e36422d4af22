import { equal, ok, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';
import { web } from '../web.js';

const { setTimeout, setInterval, clearTimeout, clearInterval } = web;

const TIMEOUT = 'setTimeout';
const INTERVAL = 'setInterval';

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(() => resolve(), milliseconds));

export const timerCases = [
  standard(TIMEOUT, 'waits as long as it was told to', async () => {
    const start = performance.now();
    await sleep(20);
    const waited = performance.now() - start;
    ok(waited >= 19.9 && waited < 5000, `${waited} ms`);
  }),
  standard(TIMEOUT, 'gives a number above 0, another one each time', () => {
    const ids = [setTimeout(() => {}), setTimeout(() => {}), setInterval(() => {}, 1000)];
    ok(ids.every((id) => Number.isInteger(id) && id > 0));
    equal(new Set(ids).size, 3);
    for (const id of ids) clearTimeout(id);
  }),
  standard(TIMEOUT, 'passes more arguments on, and the global object as this', async () => {
    const seen = await new Promise<unknown[]>((resolve) => {
      setTimeout(
        function (this: unknown, ...values: unknown[]) {
          resolve([this === globalThis, ...values]);
        },
        1,
        'a',
        2,
      );
    });
    same(seen, [true, 'a', 2]);
  }),
  standard(TIMEOUT, 'runs by time, then in the order of creation', async () => {
    const order: string[] = [];
    for (const [name, delay] of [
      ['late', 100],
      ['first', 0],
      ['second', 0],
      ['early', 50],
      ['later', 100],
    ] as const) {
      setTimeout(() => order.push(name), delay);
    }
    await sleep(101);
    same(order, ['first', 'second', 'early', 'late', 'later']);
  }),
  standard(TIMEOUT, 'many of them keep their order', async () => {
    const order: number[] = [];
    // When each is due at the earliest and at the latest; the calls take time, too.
    const due: [number, number][] = [];
    for (let i = 0; i < 300; i++) {
      const delay = (i * 7919) % 23;
      const before = performance.now();
      setTimeout(() => order.push(i), delay);
      due.push([before + delay, performance.now() + delay]);
    }
    await sleep(40);
    equal(order.length, 300);
    for (let i = 1; i < 300; i++) {
      const [earliest] = due[order[i - 1] as number] as [number, number];
      const [, latest] = due[order[i] as number] as [number, number];
      ok(earliest <= latest, `timer ${order[i - 1]} before ${order[i]}`);
    }
  }),
  standard(TIMEOUT, 'what is no delay is none', async () => {
    const order: unknown[] = [];
    for (const delay of [-5, Number.NaN, undefined, null, 'x', 2 ** 32, 0.9, {}]) {
      setTimeout(() => order.push(delay), delay as number);
    }
    await sleep(0);
    equal(order.length, 8);
  }),
  standard(TIMEOUT, 'jobs run before the next timer', async () => {
    const order: string[] = [];
    setTimeout(() => {
      order.push('timer 1');
      Promise.resolve().then(() => order.push('job 1'));
      queueMicrotask(() => order.push('job 2'));
    });
    setTimeout(() => order.push('timer 2'));
    await sleep(1);
    same(order, ['timer 1', 'job 1', 'job 2', 'timer 2']);
  }),
  standard(TIMEOUT, 'a callback that throws ends nothing else', async () => {
    setTimeout(() => {
      throw new Error('of a timer, on purpose');
    });
    await sleep(1);
  }),
  standard(TIMEOUT, 'nested deeply it takes at least 4 ms', async () => {
    const start = performance.now();
    for (let i = 0; i < 6; i++) await sleep(0);
    const free = performance.now() - start;
    for (let i = 0; i < 5; i++) await sleep(0);
    ok(performance.now() - start - free >= 5 * 4 - 1, 'the clamp');
  }),
  standard(TIMEOUT, 'what is no function is a TypeError', () => {
    for (const callback of [undefined, null, 1, {}]) {
      throws('TypeError', () => setTimeout(callback as never));
    }
  }),
  difference(TIMEOUT, 'code as text is a TypeError', () => {
    throws('TypeError', () => setTimeout('globalThis.x = 1' as never));
  }),
  standard('clearTimeout', 'takes a timer back, whatever it is told', async () => {
    let runs = 0;
    const run = () => runs++;
    clearTimeout(setTimeout(run));
    clearInterval(setTimeout(run));
    clearTimeout(String(setTimeout(run)) as never);
    for (const id of [undefined, null, 0, -1, 1e9, Number.NaN, 'x', {}]) clearTimeout(id as never);
    const second = { id: 0 };
    setTimeout(() => clearTimeout(second.id));
    second.id = setTimeout(run);
    await sleep(2);
    equal(runs, 0);
  }),
  standard(INTERVAL, 'runs again and again, with its arguments', async () => {
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      const id = setInterval(
        (value: unknown) => {
          seen.push(value);
          if (seen.length === 5) {
            clearInterval(id);
            resolve();
          }
        },
        2,
        'x',
      );
    });
    same(seen, ['x', 'x', 'x', 'x', 'x']);
    await sleep(10);
    equal(seen.length, 5);
  }),
  standard(INTERVAL, 'does not drift, and leaves out what it missed', async () => {
    const start = performance.now();
    const times: number[] = [];
    await new Promise<void>((resolve) => {
      const id = setInterval(() => {
        times.push(performance.now() - start);
        if (times.length === 2) while (performance.now() - start < 75);
        if (times.length === 4) {
          clearInterval(id);
          resolve();
        }
      }, 20);
    });
    // Busy from 40 until 75 ms: 60 is missed, and not made up for at 75.
    for (const [i, earliest] of [20, 40, 80, 100].entries()) {
      const time = times[i] as number;
      ok(time >= earliest - 0.1 && time < earliest + 5000, `run ${i} at ${time}`);
    }
  }),
  standard(INTERVAL, 'an interval of 0 ends when it is cleared', async () => {
    let runs = 0;
    const id = setInterval(() => {
      runs += 1;
    }, 0);
    const start = performance.now();
    await sleep(30);
    clearInterval(id);
    const before = runs;
    ok(before >= 5 && before < 10 + (performance.now() - start) / 4, `${before} runs`);
    await sleep(10);
    equal(runs, before);
  }),
  difference(INTERVAL, 'code as text is a TypeError', () => {
    throws('TypeError', () => setInterval('1' as never, 5));
  }),
  standard('clearInterval', 'ends an interval from inside', async () => {
    let runs = 0;
    const id = setInterval(() => {
      runs += 1;
      clearInterval(id);
    }, 1);
    await sleep(10);
    equal(runs, 1);
  }),
  standard('AbortSignal', 'timeout aborts with a TimeoutError', async () => {
    const signal = AbortSignal.timeout(5);
    equal(signal.aborted, false);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    equal(signal.aborted, true);
    equal((signal.reason as DOMException).name, 'TimeoutError');
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'x', 2 ** 53]) {
      throws('TypeError', () => AbortSignal.timeout(value as number));
    }
  }),
  standard('AbortSignal', 'any follows a timeout', async () => {
    const { any } = AbortSignal as unknown as { any(signals: AbortSignal[]): AbortSignal };
    const signal = any([new AbortController().signal, AbortSignal.timeout(2)]);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    equal((signal.reason as DOMException).name, 'TimeoutError');
  }),
];
