/** The life of a WebAssembly module in a guest: what it serves, how it ends, what it leaves behind. */
import t from 'tap';
import type { DeployedFunction } from '../../src/index.js';
import { untestable } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { ModuleImages } from './wasi-calls.js';

const WASI = '"wasi_snapshot_preview1"';

/**
 * A command that writes its request's body behind the first byte, in parts as they come, and then ends
 * with proc_exit and that byte as its code, or by returning where it is RETURNS.
 */
const RETURNS = 255;
const WRITER = `(module
  (import ${WASI} "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import ${WASI} "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import ${WASI} "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func $read (param $at i32) (param $bytes i32) (result i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $bytes))
    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
      (then unreachable))
    (i32.load (i32.const 8)))
  (func (export "_start")
    (if (i32.ne (call $read (i32.const 16) (i32.const 1)) (i32.const 1)) (then unreachable))
    (block $end (loop $more
      (br_if $end (i32.eqz (call $read (i32.const 1000) (i32.const 1000))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))
      (br $more)))
    (if (i32.ne (i32.load8_u (i32.const 16)) (i32.const ${RETURNS}))
      (then (call $proc_exit (i32.load8_u (i32.const 16))) unreachable))))`;

/**
 * A reactor that counts in its memory and in a global how often it was called: its initialisation made
 * both 40. It answers with the two, each as one character, then with its request's method.
 */
const REACTOR = `(module
  (import "hatchery" "request_head" (func $request_head (param i32 i32) (result i32)))
  (import "hatchery" "response_begin" (func $response_begin (param i32 i32 i32) (result i32)))
  (import "hatchery" "response_write" (func $response_write (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "x-module\\00reactor\\00")
  (global $calls (mut i32) (i32.const 0))
  (func (export "_initialize")
    (global.set $calls (i32.const 40))
    (i32.store8 (i32.const 100) (i32.const 40)))
  (func (export "hatchery_handle")
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.store8 (i32.const 100) (i32.add (i32.load8_u (i32.const 100)) (i32.const 1)))
    (i32.store8 (i32.const 101) (global.get $calls))
    (if (i32.lt_s (call $request_head (i32.const 102) (i32.const 3)) (i32.const 3)) (then unreachable))
    (if (call $response_begin (i32.const 202) (i32.const 16) (i32.const 17)) (then unreachable))
    (if (i32.eqz (call $response_begin (i32.const 200) (i32.const 0) (i32.const 0))) (then unreachable))
    (if (i32.eqz (call $response_write (i32.const -1) (i32.const 2))) (then unreachable))
    (if (call $response_write (i32.const 100) (i32.const 5)) (then unreachable))))`;

/** Code that ends an instance, by what is said of it. */
const ENDS: Readonly<Record<string, string>> = {
  unreachable: 'unreachable',
  'divide by zero': '(drop (i32.div_u (i32.const 1) (i32.load (i32.const 0))))',
  'integer overflow':
    '(drop (i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))',
  'invalid conversion': '(drop (i32.trunc_f32_s (f32.div (f32.const 0) (f32.load (i32.const 0)))))',
  'indirect call': '(call_indirect (type $nothing) (i32.load (i32.const 0)))',
  'out of bounds': '(memory.fill (i32.const 65535) (i32.const 1) (i32.const 2))',
  // A crash, and nothing else is said of it: recursion without end, an address behind the heap.
  '.': '(i64.store (i32.const 0) (call $down (i64.const 1)))',
  '': '(i32.store offset=0xfffffff0 (i32.const -16) (i32.const 1))',
  'without a response': '(return)',
};

const ENDING = `(module
  (import "hatchery" "request_body_read" (func $read (param i32 i32) (result i32)))
  (type $nothing (func))
  (memory (export "memory") 1)
  (table funcref (elem $down))
  (func $down (param i64) (result i64)
    (i64.rotl (call $down (i64.add (local.get 0) (i64.load (i32.const 0)))) (local.get 0)))
  (func (export "hatchery_handle")
    (drop (call $read (i32.const 8) (i32.const 1)))
    ${Object.values(ENDS)
      .map(
        (code, index) =>
          `(if (i32.eq (i32.load8_u (i32.const 8)) (i32.const ${index})) (then ${code}))`,
      )
      .join('\n')}))`;

const GROWING = `(module (memory (export "memory") 1)
  (func (export "hatchery_handle")
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    unreachable))`;

function post(fn: DeployedFunction, ...parts: (Buffer | string)[]): Promise<Response> {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return fn.fetch('http://f/', { method: 'POST', body, redirect: 'manual' });
}

/** The error that a request gives, or its response's status where it gives none. */
async function failure(response: Promise<Response>): Promise<unknown> {
  return response.then(
    ({ status }) => status,
    (error: unknown) => error,
  );
}

t.test('modules', { skip: untestable }, async (t) => {
  const images = new ModuleImages();
  t.teardown(() => images.remove());
  await using fabric = await openFabric();
  let number = 0;
  const serve = (source: string, limits = {}) => {
    const name = `module-${++number}`;
    return deploy(fabric, { name, image: images.build(name, source), limits });
  };

  await t.test('a command answers in the manner of CGI', async (t) => {
    const fn = await serve(WRITER);
    const head = 'Status: 201 Made\r\nX-Two: a\r\nX-Two: b\r\n\r\n';
    for (const bytes of [0, 1, 999, 1_000, 150_000, 900_000]) {
      const body = Buffer.alloc(bytes, 'some text, ');
      const response = await post(fn, Buffer.of(RETURNS), head, body);
      t.equal(response.status, 201);
      t.equal(response.headers.get('x-two'), 'a, b');
      t.ok(body.equals(Buffer.from(await response.arrayBuffer())), `${bytes} bytes`);
    }
    const cases: [string, string, object][] = [
      ['a body', 'content-type: text/plain\n\nhi', { status: 200, text: 'hi' }],
      ['a redirect', 'location: /else\n\n', { status: 302, text: '', location: '/else' }],
      ['no body', 'status: 404\n\n', { status: 404, text: '', location: null }],
    ];
    for (const [name, output, expected] of cases) {
      for (const end of [RETURNS, 0]) {
        const response = await post(fn, Buffer.of(end), output);
        const location = response.headers.get('location');
        t.match({ status: response.status, text: await response.text(), location }, expected, name);
      }
    }
    for (const output of ['', 'no head', 'no colon\n\n', 'status: 99\n\n', 'a b: c\n\n']) {
      const error = await failure(post(fn, Buffer.of(RETURNS), output));
      t.match(error, { status: 500, code: 'FUNCTION_THREW' }, `"${output}" is no response`);
    }
    for (const output of ['', 'content-type: text/plain\n\nhalf']) {
      t.match(await failure(post(fn, Buffer.of(7), output)), {
        status: 500,
        code: 'FUNCTION_THREW',
        details: { message: 'the program ended with exit code 7' },
      });
    }
  });

  await t.test('a reactor is initialised once, and each request starts from there', async (t) => {
    const fn = await serve(REACTOR);
    for (let request = 0; request < 3; request++) {
      const response = await fn.fetch('http://f/', { method: 'PUT' });
      t.equal(response.status, 202);
      t.equal(response.headers.get('x-module'), 'reactor');
      t.equal(await response.text(), '))PUT', 'both are 41 each time');
    }
  });

  await t.test('a module that traps says how', async (t) => {
    const fn = await serve(ENDING);
    for (const [index, [reason, code]] of Object.entries(ENDS).entries()) {
      t.match(
        await failure(post(fn, Buffer.of(index))),
        { status: 502, code: 'FUNCTION_CRASHED', details: { reason: new RegExp(reason) } },
        code,
      );
    }
  });

  await t.test('memory', async (t) => {
    const large = `(module (memory (export "memory") 1024) (func (export "hatchery_handle")))`;
    const error = await serve(large, { memoryBytes: 32 << 20 }).catch((reason: unknown) => reason);
    t.match(error, { code: 'MEMORY_EXCEEDED' }, 'more from the start than there is');
    const fn = await serve(GROWING, { memoryBytes: 32 << 20 });
    t.match(await failure(post(fn)), { code: 'MEMORY_EXCEEDED' }, 'more than it can have');
  });

  await t.test('tables grow', async (t) => {
    const fn = await serve(`(module
      (import "hatchery" "response_begin" (func $response_begin (param i32 i32 i32) (result i32)))
      (type $status (func (result i32)))
      (memory (export "memory") 1)
      (table $t 1 100000 funcref)
      (elem declare func $made)
      (func $made (result i32) (i32.const 203))
      (func (export "hatchery_handle")
        (if (i32.ne (table.grow $t (ref.func $made) (i32.const 50000)) (i32.const 1)) (then unreachable))
        (if (i32.ne (table.grow $t (ref.null func) (i32.const 50000)) (i32.const -1)) (then unreachable))
        (drop (call $response_begin
          (call_indirect $t (type $status) (i32.const 50000)) (i32.const 0) (i32.const 0)))))`);
    t.equal((await fn.fetch('http://f/')).status, 203);
  });

  await t.test('what cannot be an image is refused', async (t) => {
    const cases: [string, RegExp][] = [
      ['(module (func (export "_start")))', /exports no memory/],
      ['(module (memory (export "memory") 1))', /neither "_start" nor "hatchery_handle"/],
      [
        `(module (memory (export "memory") 1)
          (func (export "_start")) (func (export "hatchery_handle")))`,
        /not both/,
      ],
      [
        `(module (import "env" "x" (func $x)) (memory (export "memory") 1)
          (func (export "_start") (call $x)))`,
        /Z_envZ_x/,
      ],
    ];
    for (const [source, problem] of cases) {
      t.throws(() => images.build(`refused-${++number}`, source), problem);
    }
  });
});
