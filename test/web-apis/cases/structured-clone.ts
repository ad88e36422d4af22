import { bytes, equal, ok, same, throws } from '../assert.js';
import { difference, standard } from '../case.js';

const LINE = 'structuredClone';

export const structuredCloneCases = [
  standard(LINE, 'primitives and their objects', () => {
    for (const value of [undefined, null, true, 1.5, Number.NaN, 10n, 'text']) {
      equal(structuredClone(value), value);
    }
    const boxed = structuredClone(Object(1n));
    equal(typeof boxed, 'object');
    equal(boxed.valueOf(), 1n);
  }),
  standard(LINE, 'objects, arrays with holes, cycles', () => {
    const original: Record<string, unknown> = { list: Array(3), nested: { a: 'b' } };
    Object.assign(original.list as unknown[], { 0: 1, 2: 3 });
    original.self = original;
    const copy = structuredClone(original);
    ok(copy !== original);
    equal(copy.self, copy);
    same(copy.list, [1, null, 3]);
    equal(1 in (copy.list as unknown[]), false);
    ok(copy.nested !== original.nested);
  }),
  standard(LINE, 'classes lose their prototype, getters their function', () => {
    class Point {
      x = 1;
      get y() {
        return 2;
      }
    }
    const copy = structuredClone(new Point());
    equal(Object.getPrototypeOf(copy), Object.prototype);
    same(copy, { x: 1 });
    const computed = structuredClone({
      get z() {
        return 3;
      },
    });
    equal(Object.getOwnPropertyDescriptor(computed, 'z')?.value, 3);
  }),
  standard(LINE, 'Date, RegExp, Map, Set', () => {
    equal(structuredClone(new Date(5)).getTime(), 5);
    const expression = /a/gi;
    expression.lastIndex = 3;
    equal(String(structuredClone(expression)), '/a/gi');
    equal(structuredClone(expression).lastIndex, 0);
    const map = new Map<unknown, unknown>([[{ k: 1 }, new Set([1])]]);
    map.set('map', map);
    const copy = structuredClone(map);
    equal(copy.get('map'), copy);
    same([...copy.keys()][0], { k: 1 });
  }),
  standard(LINE, 'errors', () => {
    const original = new RangeError('message', { cause: { a: 1 } });
    const copy = structuredClone(original);
    ok(copy instanceof RangeError);
    equal(copy.message, 'message');
    same(copy.cause, { a: 1 });
    equal(copy.stack, original.stack);
  }),
  standard(LINE, 'buffers and views share what they shared', () => {
    const buffer = bytes(1, 2, 3, 4).buffer;
    const [first, second] = structuredClone([
      new Uint8Array(buffer, 1, 2),
      new DataView(buffer),
    ]) as [Uint8Array, DataView];
    same([...first], [2, 3]);
    equal(first.buffer, second.buffer);
    ok(first.buffer !== buffer);
    class Sub extends Uint8Array {}
    equal(structuredClone(new Sub(1)).constructor, Uint8Array);
    equal(structuredClone(new Float32Array([1.5]))[0], 1.5);
  }),
  standard(LINE, 'transfer detaches', () => {
    const buffer = bytes(1, 2).buffer;
    const copy = structuredClone({ buffer }, { transfer: [buffer] });
    equal(buffer.byteLength, 0);
    same([...new Uint8Array(copy.buffer)], [1, 2]);
    throws('DataCloneError', () => structuredClone(1, { transfer: [buffer] }));
    throws('DataCloneError', () => structuredClone(1, { transfer: [{}] as never }));
  }),
  standard(LINE, 'Blob and File', async () => {
    const file = structuredClone(new File(['a'], 'n', { type: 'a/b', lastModified: 1 }));
    same([file.name, file.type, file.lastModified, await file.text()], ['n', 'a/b', 1, 'a']);
  }),
  standard(LINE, 'what cannot be cloned is a DataCloneError', () => {
    for (const value of [() => {}, Symbol(), new WeakMap(), Promise.resolve(), { f() {} }]) {
      throws('DataCloneError', () => structuredClone(value));
    }
    throws('TypeError', () => (structuredClone as unknown as () => void)());
  }),
  difference(LINE, 'no Headers, keys or streams', () => {
    for (const value of [new Headers(), new ReadableStream()]) {
      throws('DataCloneError', () => structuredClone(value));
    }
  }),
];
