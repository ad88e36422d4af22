import { test } from 'tap';
import { Fabric } from '../../src/index.js';
import { decode, encode, MAX_DEPTH } from '../../src/structured-values.js';
import { noDriver } from '../drivers/default-driver.js';
import { assertSame } from './same.js';

/** Expressions that give the same value on both sides. */
const VALUES: readonly string[] = [
  '[undefined, null, true, false, 0, -0, 1, -1, 2 ** 31, -(2 ** 31), 0.5, NaN, Infinity]',
  "['', 'text', 'ü€😀', '\\ud800', 'a\\udfffb', '\\0', '\\ufeffmark', 'x'.repeat(10000) + '\\udc00']",
  '[0n, -1n, 255n, 2n ** 64n, -(2n ** 100n) + 7n]',
  "[Object(true), Object(-0), Object('boxed'), Object(5n)]",
  '[new Date(1e12), new Date(-1), /a(?<n>b)[/]/giu, new RegExp("")]',
  '[new Map([[1, { a: new Set([1, "x", null]) }], [{}, undefined]])]',
  'Object.assign([1, , [2, , ]], { named: 1 })',
  'JSON.parse(\'{"__proto__": {"a": 1}, "2": 2, "1": 1, "constructor": null}\')',
  `[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView].map((View) =>
      new View(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer))`,
  'new Uint8Array([1, 2, 3]).buffer',
  `[new Error('a', { cause: new TypeError('b') }), new RangeError('c'), new SyntaxError(''),
    new EvalError(), new URIError('d'), new ReferenceError('e')]`,
  "new DOMException('m', 'AbortError')",
  '(() => { const a = { list: [] }; a.self = a; a.list.push(a.list, a); return a; })()',
  '(() => { class A { x = 1; get y() { return 2; } } return new A(); })()',
  `(() => { let a = []; for (let i = 2; i < ${MAX_DEPTH}; i++) a = [a]; return a; })()`,
];

test('host and guest understand each other', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  let expected: unknown;
  const bindings = {
    check: (value: unknown) => {
      assertSame(value, decode(encode(expected)));
      return value;
    },
  };
  const source = `
    const VALUES = [${VALUES.map((code) => `() => (${code})`).join(',')}];
    export default {
      async fetch(request, env) {
        const make = VALUES[new URL(request.url).searchParams.get('index')];
        try {
          // There and back, and there again.
          await env.check(await env.check(make()));
          return new Response('understood');
        } catch (error) {
          return new Response(String(error.stack) + error);
        }
      },
    };`;
  const fn = await fabric.deploy({ name: 'values', source, bindings });
  for (const [index, code] of VALUES.entries()) {
    // biome-ignore lint/security/noGlobalEval: the same expression runs in the guest.
    expected = globalThis.eval(`(${code})`);
    t.equal(await (await fn.fetch(`http://f/?index=${index}`)).text(), 'understood', code);
  }
});

test('half floats need an engine that has them', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  const source = `export default {
    async fetch(_, env) {
      const value = new Float16Array([1.5, -2]);
      const [text, copy] = await env.see(value).then(
        (copy) => ['seen', copy], (error) => [error.code, undefined]);
      return Response.json([text, copy instanceof Float16Array ? [...copy] : null]);
    } };`;
  const see = (value: unknown) => value;
  const fn = await fabric.deploy({ name: 'halves', source, bindings: { see } });
  const [text, copy] = (await (await fn.fetch('http://f/')).json()) as [string, unknown];
  if ('Float16Array' in globalThis) t.strictSame([text, copy], ['seen', [1.5, -2]]);
  else t.strictSame([text, copy], ['INVALID_ARGUMENT', null]);
});

test('what is too deep is refused by the guest, not fatal to it', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  const source = `export default {
    async fetch(_, env) {
      let deep = [];
      for (let i = 0; i < 100000; i++) deep = [deep];
      const name = await env.see(deep).catch((error) => error.name);
      return Response.json([name, await env.see('fine')]);
    } };`;
  const fn = await fabric.deploy({ name: 'deep', source, bindings: { see: (x: unknown) => x } });
  t.strictSame(await (await fn.fetch('http://f/')).json(), ['DataCloneError', 'fine']);
});
