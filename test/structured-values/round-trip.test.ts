import fc from 'fast-check';
import { test } from 'tap';
import { decode, encode, MAX_ARRAY_LENGTH, MAX_DEPTH } from '../../src/structured-values.js';
import { assertSame } from './same.js';

const copy = (value: unknown): unknown => decode(encode(value));

const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

/** Everything that structured clone copies, cycles and shared parts apart. */
const { value: anyValue } = fc.letrec<{ value: unknown; leaf: unknown; key: unknown }>((tie) => ({
  key: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'length', '1', '')),
  leaf: fc.oneof(
    fc.constantFrom(undefined, null, true, false, -0, 0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'binary' }),
    // Half of all code units are surrogates, most of them alone.
    fc
      .array(fc.constantFrom('\ud800', '\udfff', '\ud83d', '\ude00', 'a', '\0', 'é'))
      .map((units) => units.join('')),
    // Node 20 holds no two invalid dates for equal.
    fc.date({ noInvalidDate: true }),
    fc.constantFrom(Object(true), Object(false), Object(-0), Object(12n), Object('boxed \ud800')),
    fc.constantFrom(/a/, /[/\]]\//giu, /(?<name>x)/dsy, /(?:)/),
    fc
      .tuple(fc.constantFrom(...VIEWS, DataView), fc.uint8Array({ maxLength: 64 }))
      .map(
        ([View, bytes]) =>
          new (View as Uint8ArrayConstructor)(bytes.slice(0, bytes.length & ~7).buffer),
      ),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes).buffer),
  ),
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.array(tie('value'), { maxLength: 6 }).map((items) => {
      const holes: unknown[] = [];
      for (const [index, item] of items.entries()) if (index % 3 !== 0) holes[index] = item;
      holes.length = items.length + 2;
      return Object.assign(holes, { named: items.length });
    }),
    fc.array(fc.tuple(tie('key') as fc.Arbitrary<string>, tie('value'))).map((entries) => {
      return Object.fromEntries(entries);
    }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((list) => new Map(list)),
    fc.array(tie('value'), { maxLength: 4 }).map((list) => new Set(list)),
    fc
      .tuple(
        fc.constantFrom(Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError),
        fc.string(),
        tie('value'),
      )
      .map(([Kind, message, cause]) => new Kind(message, { cause })),
  ),
}));

test('a value comes out as structured clone copies it', (t) => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assertSame(copy(value), structuredClone(value));
    }),
    { numRuns: 2000 },
  );
  t.end();
});

test('numbers, strings and bigints at their edges', (t) => {
  for (const value of [
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    -(2 ** 31) - 1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
    Number.NEGATIVE_INFINITY,
    0n,
    -1n,
    255n,
    -256n,
    2n ** 64n,
    -(2n ** 1000n) + 1n,
    '\u{10ffff}',
    '\ufeffmark',
    '\udc00\ud800',
    `${'x'.repeat(100_000)}\ud800`,
  ]) {
    t.ok(Object.is(copy(value), value), String(value).slice(0, 40));
  }
  t.ok(Number.isNaN((copy(new Date(Number.NaN)) as Date).getTime()), 'an invalid date');
  t.end();
});

test('identity and cycles', (t) => {
  const shared = { name: 'shared' };
  const bytes = new Uint8Array([1, 2]);
  const cycle: Record<string, unknown> = { shared, again: shared, bytes, more: [bytes] };
  cycle.self = cycle;
  cycle.map = new Map<unknown, unknown>([[cycle, shared]]);
  cycle.set = new Set([cycle]);
  cycle.error = new Error('why', { cause: cycle });
  const made = copy(cycle) as typeof cycle;
  t.equal(made.self, made);
  t.equal(made.again, made.shared);
  t.equal((made.more as unknown[])[0], made.bytes);
  t.equal((made.map as Map<unknown, unknown>).get(made), made.shared);
  t.ok((made.set as Set<unknown>).has(made));
  t.equal((made.error as Error).cause, made);
  assertSame(made, structuredClone(cycle));
  t.end();
});

test('__proto__ is a name like others', (t) => {
  const value = JSON.parse('{"__proto__": {"polluted": true}}');
  const made = copy(value) as object;
  t.equal(Object.getPrototypeOf(made), Object.prototype);
  t.strictSame(Object.keys(made), ['__proto__']);
  t.notOk('polluted' in made);
  t.end();
});

test('an instance is copied as a plain object, its accessors are called', (t) => {
  class Point {
    #secret = 3;
    x = 1;
    get secret(): number {
      return this.#secret;
    }
  }
  const point = Object.defineProperty(new Point(), 'y', { get: () => 2, enumerable: true });
  t.strictSame(copy(point), { x: 1, y: 2 });
  const vanishing = {
    get a() {
      delete (this as { b?: number }).b;
      return 1;
    },
    b: 2,
  };
  t.strictSame(copy(vanishing), { a: 1 });
  const failing = {
    get a() {
      throw new RangeError('no');
    },
  };
  t.throws(() => encode(failing), { name: 'RangeError' });
  t.strictSame(copy(Object.assign(Object.create(null), { a: 1 })), { a: 1 });
  t.strictSame(copy({ [Symbol('s')]: 1, b: 2 }), { b: 2 });
  t.end();
});

test('what cannot be cloned is a DataCloneError', (t) => {
  const detached = new ArrayBuffer(8);
  const view = new Uint8Array(detached);
  structuredClone(detached, { transfer: [detached] });
  const deep = (levels: number) => {
    let value: unknown[] = [];
    for (let i = 1; i < levels; i++) value = [value];
    return value;
  };
  t.doesNotThrow(() => copy(deep(MAX_DEPTH)));
  const long: unknown[] = [];
  long.length = MAX_ARRAY_LENGTH + 1;
  for (const [name, value] of Object.entries({
    function: () => {},
    symbol: Symbol('s'),
    boxedSymbol: Object(Symbol('s')),
    promise: Promise.resolve(),
    weakMap: new WeakMap(),
    weakRef: new WeakRef({}),
    generator: (function* () {})(),
    response: new Response(),
    shared: new SharedArrayBuffer(1),
    detached,
    view,
    deep: deep(MAX_DEPTH + 1),
    long,
    falseMap: Object.create(Map.prototype),
    falseBuffer: Object.create(ArrayBuffer.prototype),
    falseDate: { [Symbol.toStringTag]: 'Date' },
    falseNumber: { [Symbol.toStringTag]: 'Number' },
    falseRegExp: { [Symbol.toStringTag]: 'RegExp' },
    ownTag: { [Symbol.toStringTag]: 'Mine' },
  })) {
    t.throws(() => encode(value), { name: 'DataCloneError' }, name);
    t.throws(() => encode({ inside: [value] }), { name: 'DataCloneError' }, name);
  }
  t.end();
});

test('errors keep kind, message and cause, and say nothing of files', (t) => {
  class Custom extends TypeError {
    override readonly name = 'Custom';
    readonly detail = 1;
  }
  const error = new RangeError('too far', { cause: new Error('first') });
  const made = copy(error) as Error;
  t.equal(made.constructor, RangeError);
  t.equal(made.message, 'too far');
  t.equal(made.stack, 'RangeError: too far');
  t.equal((made.cause as Error).message, 'first');
  t.notMatch(Buffer.from(encode(error)).toString('latin1'), /round-trip|at /);
  const custom = copy(new Custom('mine')) as Error;
  t.equal(custom.constructor, Error, 'names that are no kind become Error, as the standard says');
  t.notOk('detail' in custom);
  const exception = copy(new DOMException('stopped', 'AbortError')) as DOMException;
  t.ok(exception instanceof DOMException);
  t.strictSame([exception.name, exception.message], ['AbortError', 'stopped']);
  const { stackTraceLimit } = Error;
  t.ok(stackTraceLimit > 0, 'the limit is as before');
  t.notOk(Object.hasOwn(copy(new Error()) as object, 'message'));
  t.end();
});

test('a view takes only its own bytes with it', (t) => {
  const pool = new TextEncoder().encode('secret-shown-secret');
  const shown = pool.subarray(7, 12);
  const made = copy(shown) as Uint8Array;
  t.equal(new TextDecoder().decode(made), 'shown');
  t.equal(made.buffer.byteLength, 5);
  t.notMatch(Buffer.from(encode(Buffer.from('x'))).toString('latin1'), /secret/);
  t.equal((copy(Buffer.from('x')) as Uint8Array).constructor, Uint8Array);
  t.end();
});

test('what was decoded shares no memory with the bytes', (t) => {
  const bytes = encode(new Uint8Array([1, 2, 3]));
  for (const input of [bytes, Buffer.from(bytes)]) {
    const made = decode(input) as Uint8Array;
    input.fill(0);
    t.strictSame([...made], [1, 2, 3]);
    input.set(encode(new Uint8Array([1, 2, 3])));
  }
  t.end();
});
