/** What a module does wrong ends its instance, by name, and reaches nothing but its own memory. */
import t from 'tap';
import type { DeployedFunction } from '../../src/index.js';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { assembled, imageOf } from './build-module.js';

const MEBIBYTE = 1 << 20;
const PAGE_BYTES = 65_536;

/**
 * A module that makes one of its cases, each a function's body with the parameter `$value`: two numbers in
 * the request's body say which, and with what.
 */
function moduleOf(memory: string, rest: string, cases: readonly string[]): string {
  const branches = cases.map(
    (_body, index) =>
      `(if (i32.eq (local.get $case) (i32.const ${index})) (then (local.set $result (call $case${index} (i32.load (i32.const 8))))))`,
  );
  const functions = cases.map(
    (body, index) => `(func $case${index} (param $value i32) (result i32) ${body})`,
  );
  return `(module
    (import "hatchery" "request_body_read" (func $read (param i32 i32) (result i32)))
    (import "hatchery" "response_begin" (func $begin (param i32 i32 i32) (result i32)))
    (import "hatchery" "response_write" (func $write (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
    (memory (export "memory") ${memory})
    (data (i32.const 64) "tmp/folder")
    ${rest}
    ${functions.join('\n')}
    (func (export "hatchery_handle") (local $case i32) (local $result i32)
      (drop (call $read (i32.const 4) (i32.const 8)))
      (local.set $case (i32.load (i32.const 4)))
      ${branches.join('\n')}
      (drop (call $begin (i32.const 200) (i32.const 0) (i32.const 0)))
      (i32.store (i32.const 4) (local.get $result))
      (drop (call $write (i32.const 4) (i32.const 4)))))`;
}

async function run(fn: DeployedFunction, index: number, value: number): Promise<number> {
  const body = Buffer.alloc(8);
  body.writeUInt32LE(index);
  body.writeUInt32LE(value, 4);
  const response = await fn.fetch('http://module.test/', { method: 'POST', body });
  return Buffer.from(await response.arrayBuffer()).readInt32LE();
}

t.test('traps', { skip: untestable }, async (t) => {
  const TRAPS: readonly [name: string, body: string, value: number, reason: RegExp][] = [
    ['unreachable', 'unreachable', 0, /unreachable/],
    [
      'division',
      '(i32.div_s (i32.const 1) (local.get $value))',
      0,
      /trapped: integer divide by zero/,
    ],
    [
      'overflow',
      '(i32.div_s (i32.const 0x80000000) (local.get $value))',
      0xffff_ffff,
      /trapped: integer overflow/,
    ],
    [
      'conversion',
      '(i32.trunc_f32_s (f32.reinterpret_i32 (local.get $value)))',
      0x7fc0_0000,
      /trapped: invalid conversion/,
    ],
    ['no such entry', '(call_indirect (type $one) (local.get $value))', 9, /indirect call/],
    ['an empty entry', '(call_indirect (type $one) (local.get $value))', 1, /indirect call/],
    ['of another type', '(call_indirect (type $two) (local.get $value))', 0, /indirect call/],
    [
      'fill',
      '(memory.fill (local.get $value) (i32.const 0) (i32.const 2)) (i32.const 0)',
      3 * PAGE_BYTES - 1,
      /out of bounds/,
    ],
    ['load', '(i32.load (local.get $value))', 3 * PAGE_BYTES, /./],
    ['load across', '(i32.load (local.get $value))', 3 * PAGE_BYTES - 3, /./],
    ['farthest load', '(i32.load offset=0xffffffff (local.get $value))', 0xffff_ffff, /./],
    ['store', '(i32.store (local.get $value) (i32.const 1)) (i32.const 0)', 3 * PAGE_BYTES, /./],
    ['recursion', '(i32.add (call $deep (local.get $value)) (i32.const 1))', 1, /./],
  ];
  const rest = `
    (type $one (func (result i32)))
    (type $two (func (param i64) (result i32)))
    (table 4 4 funcref) (elem (i32.const 0) $zero)
    (func $zero (result i32) (i32.const 0))
    (func $deep (param i32) (result i32)
      (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (call $deep (local.get 0))))`;
  const cases = TRAPS.map(([, body]) =>
    body.replace('(type $two) (local.get', '(type $two) (i64.const 0) (local.get'),
  );
  const image = await imageOf(await assembled(moduleOf('3 3', rest, cases), 'traps', t.testdir()));
  await using fabric = await openFabric();
  const fn = await deploy(fabric, { name: 'traps', image });
  for (const [index, [name, , value, reason]] of TRAPS.entries()) {
    await t.rejects(run(fn, index, value), { code: 'FUNCTION_CRASHED', details: { reason } }, name);
  }
  t.equal(await run(fn, TRAPS.length, 0), 0, 'and the next request is served');
});

t.test('memory and tables', { skip: untestable }, async (t) => {
  const rest = `
    (type $one (func (result i32)))
    (table $table 1 100000 funcref) (elem (i32.const 0) $seven)
    (func $seven (result i32) (i32.const 7))
    (func $check (result i32)
      (i32.add (call_indirect (type $one) (i32.const 0))
        (call $mkdir (i32.const 3) (i32.const 64) (i32.const 10))))`;
  const GROW = 0;
  const STORE = 1;
  const TOUCH_ALL = 2;
  const REFUSED = 3;
  const TABLE = 4;
  const cases = [
    `(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)`,
    `(i32.store (local.get $value) (i32.const -1)) (call $check)`,
    `(loop $more
       (local.set $value (i32.sub (local.get $value) (i32.const 4096)))
       (i32.store (local.get $value) (i32.const -1))
       (br_if $more (i32.gt_u (local.get $value) (i32.const ${PAGE_BYTES}))))
     (call $check)`,
    `(drop (memory.grow (local.get $value))) unreachable`,
    `(if (result i32) (i32.eq (table.grow $table (ref.null func) (local.get $value)) (i32.const 1))
       (then
         (table.set $table (local.get $value) (table.get $table (i32.const 0)))
         (call_indirect (type $one) (local.get $value)))
       (else (i32.const -1)))`,
  ];
  const image = await imageOf(await assembled(moduleOf('1', rest, cases), 'memory', t.testdir()));
  await using fabric = await openFabric();
  const fn = await deploy(fabric, {
    name: 'memory',
    image,
    limits: { memoryBytes: 32 * MEBIBYTE },
  });
  const end = (await run(fn, GROW, 0)) * PAGE_BYTES;
  t.ok(end > 16 * MEBIBYTE && end < 32 * MEBIBYTE, `grows to ${end}`);
  t.equal(await run(fn, TOUCH_ALL, end), 7, 'no page up to there is of the library OS');
  const crashed = { code: 'FUNCTION_CRASHED' };
  for (const behind of [0, 4096, PAGE_BYTES, MEBIBYTE, 0xffff_f000 - end]) {
    await t.rejects(run(fn, STORE, end + behind), crashed, `store at the end + ${behind}`);
  }
  await t.rejects(run(fn, REFUSED, 60_000), { code: 'MEMORY_EXCEEDED' });
  t.equal(await run(fn, TABLE, 50_000), 7, 'a table grows');
  t.equal(await run(fn, TABLE, 100_000), -1, 'as far as it may');
});

t.test('a command that is run anew takes no more memory', { skip: untestable }, async (t) => {
  const text = `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (table 20000 funcref)
    (data (i32.const 16) "status: 200\\0a\\0aok")
    (data (i32.const 0) "\\10\\00\\00\\00\\0f\\00\\00\\00")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;
  const image = await imageOf(await assembled(text, 'anew', t.testdir()));
  await using fabric = await openFabric();
  const limits = { memoryBytes: 24 * MEBIBYTE };
  const fn = await deploy(fabric, { name: 'anew', image, limits });
  const instance = await fn.spawn();
  for (let request = 0; request < 60; request += 1) {
    const response = await instance.fetch('http://module.test/');
    if ((await response.text()) !== 'ok') t.fail(`request ${request}`);
  }
  await instance.kill();
});
