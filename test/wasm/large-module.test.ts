/**
 * A module whose C is so long that it is compiled in parts (images/wasm/split-translation.awk). Node's own
 * WebAssembly says what it has to answer.
 */
import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { assembled, imageOf } from './build-module.js';

/** How deep blocks are nested in each function: long C, as it is indented, that a compiler is soon done with. */
const DEPTHS = [...Array.from({ length: 20 }, () => 200), 500];
const DATA_BYTES = 300_000;

const nested = (depth: number, index: number) =>
  `(func $nested${index} (param i32) (result i32) (local i32)
    ${'(if (local.get 0) (then (local.set 1 (i32.add (local.get 1) (i32.const 3)))'.repeat(depth)}
    ${'))'.repeat(depth)} (local.get 1))`;

/** Bytes that follow no pattern, with quotes and backslashes among them, as a module's text has them. */
function data(): string {
  let state = 1;
  return Array.from({ length: DATA_BYTES }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return `\\${((state >>> 16) & 0xff).toString(16).padStart(2, '0')}`;
  }).join('');
}

/** Each check is an expression of type i32. */
const CHECKS = [
  '(call $sum (i32.const 100000) (i32.const 310000))',
  ...DEPTHS.map((_, index) => `(call $nested${index} (i32.const 1))`),
  ...DEPTHS.map((_, index) => `(call $nested${index} (i32.const 0))`),
  `(call_indirect (type $wide) ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `(i32.const ${n})`).join('')}
     (i32.const 2))`,
  '(call $first (call $pair (i32.const 5)))',
  `(memory.init $passive (i32.const 200) (i32.const 1) (i32.const 4)) (data.drop $passive)
     (i32.load (i32.const 200))`,
  `(table.init $functions (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $functions)
     (call_indirect (type $one) (i32.const 7) (i32.const 0))`,
  '(global.get $mark)',
];

const RESULTS_BYTES = 4 * CHECKS.length;

/** A reactor that answers with all results. */
const SOURCE = `(module
  (import "hatchery" "response_begin" (func $response_begin (param i32 i32 i32) (result i32)))
  (import "hatchery" "response_write" (func $response_write (param i32 i32) (result i32)))
  ${DEPTHS.map(nested).join('\n')}
  (type $one (func (param i32) (result i32)))
  (type $wide (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8)
  (table 4 funcref)
  (global $mark (mut i32) (i32.const 3))
  (elem (i32.const 2) $wide)
  (elem $functions func $double)
  (data (i32.const 100000) "${data()}")
  (data (i32.const 399990) "later segments cover earlier ones")
  (data (i32.const 399995) "\\"\\5c//*")
  (data $passive "passive")
  (start $start)
  (func $start (global.set $mark (i32.add (global.get $mark) (i32.const 8))))
  (func $double (type $one) (i32.add (local.get 0) (local.get 0)))
  (func $wide (type $wide)
    (i32.sub (i32.mul (local.get 0) (local.get 8)) (i32.mul (local.get 7) (local.get 3))))
  (func $pair (param i32) (result i32 i64) (i32.const 6) (i64.extend_i32_u (local.get 0)))
  (func $first (param i32 i64) (result i32) (i32.sub (local.get 0) (i32.wrap_i64 (local.get 1))))
  (func $sum (param $at i32) (param $bytes i32) (result i32) (local $sum i32)
    (loop $more
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $more (local.tee $bytes (i32.sub (local.get $bytes) (i32.const 1)))))
    (local.get $sum))
  (func (export "hatchery_handle")
    ${CHECKS.map((check, index) => `(i32.store (i32.const ${1024 + 4 * index}) ${check})`).join('\n')}
    (drop (call $response_begin (i32.const 200) (i32.const 0) (i32.const 0)))
    (drop (call $response_write (i32.const 1024) (i32.const ${RESULTS_BYTES})))))`;

interface Instance {
  readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; hatchery_handle(): void };
}
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: Instance }>;
  };
};

t.test('a module that is compiled in parts', { skip: untestable }, async (t) => {
  const folder = t.testdir();
  const module = await assembled(SOURCE, 'large', folder);
  const hatchery = { response_begin: () => 0, response_write: () => 0 };
  const reference = await WebAssembly.instantiate(await readFile(module), { hatchery });
  const { exports } = reference.instance;
  exports.hatchery_handle();
  const expected = Buffer.from(exports.memory.buffer, 1024, RESULTS_BYTES);

  const image = await imageOf(module);
  const parts = (await readdir(`${module}.work/parts`)).filter((name) => /\.[cS]$/.test(name));
  t.same(parts.sort(), ['code-1.c', 'code-2.c', 'data.S', 'large-1.c', 'rest.c']);

  const again = await imageOf(await assembled(SOURCE, 'again', folder));
  t.ok(
    (await readFile(again)).equals(await readFile(image)),
    'the same input gives the same image',
  );

  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'large', image });
  for (let request = 0; request < 2; request += 1) {
    const response = await fn.fetch('http://f/');
    const found = Buffer.from(await response.arrayBuffer());
    t.equal(found.toString('hex'), expected.toString('hex'));
  }
});
