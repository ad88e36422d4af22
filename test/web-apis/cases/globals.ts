import { equal, ok, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';
import { web } from '../web.js';

export const globalCases = [
  standard('globalThis', 'holds the globals, hidden from enumeration', () => {
    equal(globalThis.globalThis, globalThis);
    equal(globalThis.URL, URL);
    equal(Object.keys(globalThis).includes('URL'), false);
    const property = Object.getOwnPropertyDescriptor(globalThis, 'Request');
    same([property?.writable, property?.enumerable, property?.configurable], [true, false, true]);
  }),
  standard('self', 'is the global object', () => {
    equal((globalThis as unknown as { self: unknown }).self, globalThis);
  }),
  standard('atob', 'decodes forgiving base64', () => {
    equal(atob('aGk='), 'hi');
    equal(atob(' a G\tk\n'), 'hi');
    equal(atob('/+8='), '\xff\xef');
    equal(atob(''), '');
    for (const text of ['a', 'aGk*', 'aGk===', '=']) {
      throws('InvalidCharacterError', () => atob(text));
    }
  }),
  standard('btoa', 'encodes Latin-1', () => {
    equal(btoa('hi'), 'aGk=');
    equal(btoa('\xff\xef'), '/+8=');
    equal(btoa(''), '');
    throws('InvalidCharacterError', () => btoa('€'));
  }),
  standard('console', 'has the methods of the standard, none of which throws', () => {
    const all = console as unknown as Record<string, (...values: unknown[]) => void>;
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const name of [
      'assert',
      'count',
      'countReset',
      'debug',
      'dir',
      'dirxml',
      'error',
      'group',
      'groupCollapsed',
      'groupEnd',
      'info',
      'log',
      'table',
      'time',
      'timeEnd',
      'timeLog',
      'trace',
      'warn',
    ]) {
      all[name]?.('%s %d %i %f %j %o %c %%', 'a', 1, 2.5, 3.5, {}, cycle, 'x', Symbol('s'), 1n);
      all[name]?.(
        new Map([[{}, new Set([null, undefined])]]),
        new Date(Number.NaN),
        Object.create(null),
      );
      all[name]?.();
      ok(typeof all[name] === 'function', name);
    }
    all.clear?.();
  }),
  difference('console', 'clear only ends groups', () => {
    console.group();
    equal(console.clear(), undefined);
  }),
  standard('navigator.userAgent', 'names the runtime', () => {
    equal(
      (globalThis as unknown as { navigator: { userAgent: string } }).navigator.userAgent,
      'Hatchery',
    );
  }),
  standard('Performance', 'now grows, and agrees with Date', () => {
    const first = performance.now();
    ok(first >= 0 && first < 60_000, `now() is ${first}`);
    ok(performance.now() >= first, 'it grows');
    ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5, 'it agrees');
    same(Object.keys(performance.toJSON()), ['timeOrigin']);
  }),
  difference('Performance', 'no time line, and the origin is the request', () => {
    equal('mark' in performance, false);
    ok(performance.now() < 1000, 'the origin is this request');
  }),
  standard('performance', 'is a Performance', () => {
    ok(performance instanceof web.Performance);
    ok(performance instanceof EventTarget);
  }),
  standard('queueMicrotask', 'runs in order with promise jobs', async () => {
    const seen: number[] = [];
    queueMicrotask(() => seen.push(1));
    const job = Promise.resolve().then(() => seen.push(2));
    queueMicrotask(() => seen.push(3));
    seen.push(0);
    await job;
    await undefined;
    same(seen, [0, 1, 2, 3]);
    throws('TypeError', () => queueMicrotask(1 as never));
  }),
  standard('reportError', 'does not throw', () => {
    const { reportError } = globalThis as unknown as { reportError(error: unknown): void };
    equal(reportError(new Error('expected in the log')), undefined);
    equal(reportError('expected in the log'), undefined);
  }),
  difference('reportError', 'there is no event', () => {
    equal('ErrorEvent' in globalThis, false);
  }),
  standard('DOMException', 'name, message and code', () => {
    const error = new DOMException('message', 'AbortError');
    ok(error instanceof Error);
    equal(error.name, 'AbortError');
    equal(error.message, 'message');
    equal(error.code, 20);
    equal(new DOMException().name, 'Error');
    equal(new DOMException('', 'NotAKnownName').code, 0);
    equal(DOMException.ABORT_ERR, 20);
    equal(Object.prototype.toString.call(error), '[object DOMException]');
    ok(typeof error.stack === 'string');
  }),
];
