import { test } from 'tap';
import { Fabric } from '../../src/index.js';
import { noDriver } from '../drivers/default-driver.js';

/** Ways to go deeper than any stack. Each must throw; none may end the instance. */
const RECURSIONS: Readonly<Record<string, string>> = {
  'a function': '(function f(n) { return f(n + 1) + 1; })(0)',
  'a getter': '(() => { const o = { get x() { return o.x; } }; return o.x; })()',
  'a constructor': '(() => { class A { constructor() { new A(); } } return new A(); })()',
  'toString of itself': "(() => { const o = { toString: () => '' + o }; return String(o); })()",
  'a chain of proxies':
    '(() => { let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x; })()',
  'a generator': '(() => { function* g() { yield* g(); } return [...g()]; })()',
  'a callback of map': '[1].map(function f() { return [1].map(f); })',
  'a callback of sort': '[1, 2].sort(function f() { [1, 2].sort(f); return 0; })',
  'a callback of replace': "'x'.replace(/x/, function f() { return 'x'.replace(/x/, f); })",
  'a reviver of JSON': "JSON.parse('[1]', function f() { return JSON.parse('[1]', f); })",
  'JSON.parse of arrays': "JSON.parse('['.repeat(1e6))",
  'JSON.parse of objects': `JSON.parse('{"a":'.repeat(1e6))`,
  'JSON.stringify': 'JSON.stringify(nested())',
  'toString of arrays': 'nested().toString()',
  'flat of itself': '(() => { const a = []; a[0] = a; return a.flat(Infinity); })()',
  structuredClone: 'structuredClone(nested())',
  'a regular expression': "new RegExp('(?:'.repeat(2e4) + 'a' + ')*'.repeat(2e4))",
  'parentheses in eval': "eval('('.repeat(1e5) + ')'.repeat(1e5))",
  'arrays in eval': "eval('['.repeat(1e5) + ']'.repeat(1e5))",
  'blocks in eval': "eval('{'.repeat(1e5) + '}'.repeat(1e5))",
  'unary operators in eval': "eval('-'.repeat(1e5) + '1')",
  'conditions in eval': "eval('a?'.repeat(1e5) + '1' + ':1'.repeat(1e5))",
  'arrow functions in eval': "eval('a=>'.repeat(1e5) + '1')",
  'templates in eval': "eval(('`$' + '{').repeat(1e4) + '1' + '}`'.repeat(1e4))",
};

test('endless recursion throws', { skip: noDriver }, async (t) => {
  await using fabric = await Fabric.open();
  const ways = Object.values(RECURSIONS).map((code) => `() => ${code}`);
  const fn = await fabric.deploy({
    name: 'recursion',
    source: `
      function nested() {
        let array = [];
        for (let i = 0; i < 1e5; i++) array = [array];
        return array;
      }
      const ways = [${ways.join(',')}];
      export default {
        fetch(request) {
          try {
            ways[Number(new URL(request.url).searchParams.get('way'))]();
          } catch (error) {
            return new Response(error.name);
          }
          return new Response('it returned');
        },
      };`,
    limits: { wallMilliseconds: 60_000 },
  });
  for (const [index, name] of Object.keys(RECURSIONS).entries()) {
    const response = await fn.fetch(`http://f/?way=${index}`);
    t.match(await response.text(), /^(RangeError|SyntaxError|InternalError)$/, name);
  }
});
