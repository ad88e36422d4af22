/** Calls of bindings: values and errors both ways, limits, and what must not be reachable. */
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { HatcheryError } from '../../src/errors.js';
import type { Binding } from '../../src/fabric/definition.js';
import {
  type BindingContext,
  bindingContext,
} from '../../src/fabric/host-calls/binding-context.js';
import { BindingError, Bindings, describeBindings } from '../../src/fabric/host-calls/bindings.js';
import { decode, encode } from '../../src/structured-values.js';
import { context, pause } from './fetching.js';

type Bound = Readonly<Record<string, Binding>>;

const bind = (bindings: Bound, maxHostCallBytes = 1 << 20) =>
  new Bindings({ functionName: 'f', bindings, limits: { maxHostCallBytes } });

const bindingPayload = (binding: string, method: string, args: unknown) =>
  Buffer.concat([Buffer.from(`${binding}\0${method}\0`), encode(args)]);

async function call(bindings: Bindings, path: string, ...args: unknown[]): Promise<unknown> {
  const [binding = '', method = ''] = path.split('.');
  const { payload, body } = await bindings.call(bindingPayload(binding, method, args), context());
  if (body !== undefined) {
    throw new Error('a binding has no body');
  }
  return decode(payload);
}

const thrown = (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => new Error('it did not throw'),
    (error) => error,
  );

t.test('values go both ways', async (t) => {
  const seen: unknown[] = [];
  const echo = bind({
    echo: (...values: unknown[]) => {
      seen.push(...values);
      return values;
    },
  });
  const values = [
    undefined,
    null,
    true,
    -0,
    Number.NaN,
    2n ** 70n,
    'text \ud800',
    new Date(5),
    /a/gi,
    new Map([[{ a: 1 }, new Set([1])]]),
    new Uint8Array([1, 2]),
    new RangeError('r'),
    { deep: [{ er: [1, undefined, 3] }] },
  ];
  t.strictSame(await call(echo, 'echo', ...values), values);
  t.strictSame(seen, values);
  t.strictSame(await call(echo, 'echo'), []);
});

t.test('methods have their object as this, and whatever they await is awaited', async (t) => {
  const counter = {
    count: 0,
    next(this: { count: number }, by = 1) {
      this.count += by;
      return this.count;
    },
    later: async () => {
      await pause(5);
      return 'later';
    },
    // biome-ignore lint/suspicious/noThenProperty: a host may return one.
    thenable: () => ({ then: (resolve: (value: string) => void) => resolve('then') }),
    nothing: () => {},
  };
  const bindings = bind({ counter: counter as unknown as Binding });
  t.equal(await call(bindings, 'counter.next'), 1);
  t.equal(await call(bindings, 'counter.next', 5), 6);
  t.equal(await call(bindings, 'counter.later'), 'later');
  t.equal(await call(bindings, 'counter.thenable'), 'then');
  t.equal(await call(bindings, 'counter.nothing'), undefined);
});

t.test('the host finds out who calls', async (t) => {
  const found: (BindingContext | undefined)[] = [];
  const bindings = bind({
    who: async () => {
      found.push(bindingContext());
      await pause(1);
      found.push(bindingContext());
    },
  });
  t.equal(bindingContext(), undefined);
  const { signal } = new AbortController();
  await bindings.call(bindingPayload('who', '', []), { ...context(signal), requestId: 'r7' });
  t.match(found, [
    { function: 'f', requestId: 'r7' },
    { function: 'f', requestId: 'r7' },
  ]);
  t.equal(found[0]?.signal, signal);
  t.equal(bindingContext(), undefined);
});

t.test('only what was bound can be called', async (t) => {
  class Service {
    inherited() {
      return 'inherited';
    }
    own = () => 'own';
    value = 5;
    nested = { deep: () => 'deep' };
  }
  Object.defineProperty(Service.prototype, 'hidden', { value: () => 'hidden' });
  const service = new Service();
  Object.defineProperty(service, 'concealed', { value: () => 'concealed', enumerable: false });
  const bare = Object.assign(Object.create({ up: () => 'up' }), { down: () => 'down' });
  const bound = { service, bare, plain: () => 'plain' } as unknown as Bound;
  const bindings = bind(bound);
  t.equal(await call(bindings, 'service.own'), 'own');
  t.equal(await call(bindings, 'bare.down'), 'down');
  t.equal(await call(bindings, 'plain'), 'plain');
  for (const path of [
    'service',
    'service.inherited',
    'service.hidden',
    'service.concealed',
    'service.value',
    'service.nested',
    'service.constructor',
    'service.__proto__',
    'service.toString',
    'service.hasOwnProperty',
    'service.__defineGetter__',
    'service.valueOf',
    'bare.up',
    'plain.call',
    'plain.apply',
    'plain.bind',
    'plain.constructor',
    'plain.length',
    '__proto__',
    '__proto__.toString',
    'constructor',
    'constructor.constructor',
    'toString',
    'hasOwnProperty',
    'valueOf.call',
    '',
    'missing.own',
    'size',
    'get',
  ]) {
    await t.rejects(call(bindings, path), { code: 'BINDING_MISSING' }, path);
  }
  (service as unknown as Record<string, unknown>).added = () => 'added';
  await t.rejects(call(bindings, 'service.added'), { code: 'BINDING_MISSING' });
  const long = await thrown(call(bindings, 'x'.repeat(100_000)));
  t.ok(long.message.length < 300);
});

t.test('the guest is told the names that it may call', async (t) => {
  const described = describeBindings({
    db: { get: () => {}, put: () => {} },
    now: () => {},
    none: {},
    odd: { value: 5 } as unknown as Binding,
    ['__proto__']: { get: () => {} },
  });
  t.strictSame(Object.entries(described), [
    ['db', ['get', 'put']],
    ['now', null],
    ['none', []],
    ['odd', []],
    ['__proto__', ['get']],
  ]);
  t.strictSame(describeBindings({}), {});
});

t.test('what the host throws arrives without its stack', async (t) => {
  const cause = new Error('secret cause');
  const cases: [thrown: unknown, name: string, message: string, code?: string][] = [
    [new Error('a'), 'Error', 'a'],
    [new TypeError('b', { cause }), 'TypeError', 'b'],
    [Object.assign(new Error('c'), { code: 'ENOENT', secret: 1 }), 'Error', 'c', 'ENOENT'],
    [Object.assign(new Error('d'), { code: 5 }), 'Error', 'd'],
    [Object.assign(new Error('e'), { name: 'DbError' }), 'DbError', 'e'],
    [
      new HatcheryError('FABRIC_CLOSED'),
      'HatcheryError',
      'The fabric is closed. Open another one.',
      'FABRIC_CLOSED',
    ],
    [runInNewContext('new RangeError("f")'), 'RangeError', 'f'],
    ['text', 'Error', 'text'],
    [undefined, 'Error', 'undefined'],
    [null, 'Error', 'null'],
    [5, 'Error', '5'],
    [{ message: 'not one' }, 'Error', '[object Object]'],
    [Symbol('s'), 'Error', 'Symbol(s)'],
    [Object.create(null), 'Error', 'The host threw what cannot be told'],
    [
      Object.defineProperty(new Error(''), 'message', {
        get: () => {
          throw new Error('again');
        },
      }),
      'Error',
      'The host threw what cannot be told',
    ],
  ];
  for (const [what, name, message, code] of cases) {
    const bindings = bind({
      now: () => {
        throw what;
      },
      later: () => Promise.reject(what),
    });
    for (const path of ['now', 'later']) {
      const error = await thrown(call(bindings, path));
      t.ok(error instanceof BindingError, message);
      t.strictSame([error.name, error.message, error.code], [name, message, code], message);
      t.equal(error.cause, undefined);
      t.notMatch(String(error.stack), /bindings|node:/);
      t.notOk('secret' in error);
    }
  }
});

t.test('results that cannot be copied, or are too large', async (t) => {
  const bindings = bind(
    {
      method: () => () => {},
      symbol: () => ({ a: Symbol('s') }),
      promise: () => ({ a: Promise.resolve() }),
      accessor: () => ({
        get a() {
          throw new TypeError('mine');
        },
      }),
      large: () => 'x'.repeat(1001),
      small: () => 'x'.repeat(900),
    },
    1000,
  );
  for (const path of ['method', 'symbol', 'promise']) {
    await t.rejects(call(bindings, path), { code: 'VALUE_NOT_CLONEABLE' }, path);
  }
  await t.rejects(call(bindings, 'accessor'), { name: 'TypeError', message: 'mine' });
  await t.rejects(call(bindings, 'large'), {
    code: 'HOST_CALL_TOO_LARGE',
    details: { limit: 1000 },
  });
  t.equal(await call(bindings, 'small'), 'x'.repeat(900));
});

t.test('nobody waits for ever', async (t) => {
  let begun = 0;
  let late: (error: Error) => void = () => {};
  const bindings = bind({
    never: () => {
      begun += 1;
      return new Promise(() => {});
    },
    late: () =>
      new Promise((_, reject) => {
        late = reject;
      }),
  });
  const reason = new HatcheryError('HOST_CALL_TIMEOUT', { limit: 5 });
  for (const path of ['never', 'late']) {
    const abort = new AbortController();
    const pending = bindings.call(bindingPayload(path, '', []), context(abort.signal));
    setTimeout(() => abort.abort(reason), 5);
    await t.rejects(pending, reason);
  }
  late(new Error('nobody hears it, and nothing crashes'));
  await pause(5);
  const signal = AbortSignal.abort(reason);
  await t.rejects(bindings.call(bindingPayload('never', '', []), context(signal)), reason);
  t.equal(begun, 1, 'what is over already is not begun');
});

t.test('payloads of a hostile guest', async (t) => {
  let calls = 0;
  const bindings = bind({
    f: () => {
      calls += 1;
    },
  });
  const refused = (payload: Uint8Array) =>
    t.rejects(bindings.call(payload, context()), { code: 'INVALID_ARGUMENT' });
  await refused(Buffer.from(''));
  await refused(Buffer.from('f'));
  await refused(Buffer.from('f\0'));
  await refused(Buffer.from('f\0\0'));
  await refused(Buffer.from('f\0\0garbage'));
  await refused(bindingPayload('f', '', 'no array'));
  await refused(bindingPayload('f', '', { length: 0 }));
  await refused(bindingPayload('f', '', new Array(256).fill(1)));
  await refused(Buffer.concat([bindingPayload('f', '', []), Buffer.from([0])]));
  t.equal(calls, 0);
  const good = bindingPayload('f', '', ['a', { b: [1, 2] }]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(good.length),
      async (changes, length) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) {
          bytes[at] = value;
        }
        await bindings.call(bytes.subarray(0, length), context()).catch((error) => {
          if (!(error instanceof HatcheryError)) {
            throw error;
          }
        });
      },
    ),
    { numRuns: 3000 },
  );
});

t.test('a hostile value changes nothing of the host', async (t) => {
  const seen: unknown[] = [];
  const bindings = bind({ f: (value: unknown) => void seen.push(value) });
  await call(
    bindings,
    'f',
    JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'),
  );
  t.equal(({} as Record<string, unknown>).polluted, undefined);
  t.equal(Object.getPrototypeOf(seen[0]), Object.prototype);
  t.ok(Object.hasOwn(seen[0] as object, '__proto__'), 'it is a property like another');
});
