/** Modules are checked before anything translates them: what they use, import and export. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { HatcheryError } from '../../src/errors.js';
import { checkModule } from '../../src/image/wasm/check-module.js';
import { MAX_NESTING } from '../../src/image/wasm/instructions.js';
import { readModule } from '../../src/image/wasm/module.js';
import { MalformedModule } from '../../src/image/wasm/reader.js';

const run = promisify(execFile);

/** Assembles all with every feature on. */
async function assemble(t: Test, text: string): Promise<Buffer> {
  const folder = t.testdir({ 'a.wat': text });
  await run('wat2wasm', [
    '--enable-all',
    '--debug-names',
    `${folder}/a.wat`,
    '-o',
    `${folder}/a.wasm`,
  ]);
  return readFileSync(`${folder}/a.wasm`);
}

const START = '(func (export "_start"))';

t.test('a command', async (t) => {
  const module = await assemble(
    t,
    `(module
      (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (memory (export "memory") 3) (data (i32.const 8) "hello")
      (table 2 funcref) (elem (i32.const 0) $w) (elem funcref (ref.func 0) (ref.null func))
      (global $g (mut i64) (i64.const -5000000000)) (global f64 (f64.const 1.5))
      (func (export "_start") (local i32 f32)
        (block (loop (br_table 0 1 0 (i32.const 1))))
        (if (i32.const 1) (then (global.set $g (i64.const 1))) (else nop))
        (drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 0)))
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))
        (memory.copy (i32.const 0) (i32.const 0) (i32.const 1))
        (table.copy (i32.const 0) (i32.const 0) (i32.const 0)) elem.drop 1
        (drop (table.grow 0 (ref.null func) (i32.const 1)))
        (drop (i32.trunc_sat_f32_s (f32.const 1)))
        (i64.store offset=4294967295 (i32.const 0) (i64.extend8_s (i64.const 1)))
        (drop (call_indirect (param i32 i32 i32 i32) (result i32)
          (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 0)))))`,
  );
  t.same(await checkModule('a', module), { manner: 'command', minimumMemoryBytes: 196_608 });
});

t.test('a reactor', async (t) => {
  const module = await assemble(
    t,
    `(module (import "hatchery" "log" (func (param i32 i32 i32) (result i32)))
      (memory (export "memory") 0)
      (func (export "_initialize")) (func (export "hatchery_handle")))`,
  );
  t.same(await checkModule('a', module), { manner: 'reactor', minimumMemoryBytes: 0 });
});

t.test('the engine of the image js can be read', async (t) => {
  const path = createRequire(import.meta.url).resolve('quickjs-wasi/package.json');
  const facts = readModule(readFileSync(path.replace('package.json', 'quickjs.wasm')));
  t.same(facts.unsupported, []);
  t.ok(facts.exports.length > 10);
});

/** What the translator lacks, and what the refusal says. */
const UNSUPPORTED: [string, string, RegExp][] = [
  [
    'simd',
    '(func $dot (drop (v128.const i32x4 1 2 3 4)))',
    /SIMD.* function 1 \(dot\), offset 0x[0-9a-f]+: .*-mno-simd128.*-C target-feature=-simd128/,
  ],
  ['a local of a vector type', '(func $v (local v128))', /SIMD.*function 1 \(v\)/],
  ['a parameter of a vector type', '(func (param v128))', /SIMD.*offset 0x/],
  [
    'a block of a vector type',
    '(func (drop (block (result v128) unreachable)))',
    /SIMD.*function 1,/,
  ],
  ['a global of a vector type', '(global v128 (v128.const i32x4 0 0 0 0))', /SIMD/],
  [
    'relaxed simd',
    '(func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))',
    /-mno-relaxed-simd|SIMD/,
  ],
  ['a tail call', '(func $f return_call $f)', /tail calls at function 1 \(f\).*-mno-tail-call/],
  [
    'an indirect one',
    '(table 1 funcref) (func (return_call_indirect (i32.const 0)))',
    /tail calls/,
  ],
  ['shared memory', '(memory 1 1 shared)', /threads.*offset.*-mno-atomics/],
  [
    'an atomic access',
    '(memory 1) (func (drop (i32.atomic.load (i32.const 0))))',
    /threads.*function 1,/,
  ],
  ['64-bit memory', '(memory i64 1)', /64-bit memory.*wasm32/],
  ['two memories', '(memory 1) (memory 1)', /several memories/],
  [
    'an extended constant',
    '(global i32 (i32.add (i32.const 1) (i32.const 2)))',
    /extended constant.*-mno-extended-const/,
  ],
  [
    'one in data',
    '(memory 1) (data (i32.add (i32.const 1) (i32.const 2)) "x")',
    /extended constant/,
  ],
  ['exceptions', '(tag) (func $t (throw 0))', /exceptions.*-fno-exceptions.*panic=abort/],
  ['a try', '(func $t (try (do) (catch_all)))', /exceptions at function 1 \(t\)/],
];

for (const [what, text, message] of UNSUPPORTED) {
  t.test(`${what} is refused, with how it is avoided`, async (t) => {
    const module = await assemble(t, `(module ${START} ${text})`);
    await t.rejects(checkModule('app.wasm', module), {
      code: 'MODULE_UNSUPPORTED',
      status: 422,
      message,
    });
  });
}

t.test('what does not fit the library OS is named, all of it', async (t) => {
  const module = await assemble(
    t,
    `(module
      (import "env" "emscripten_sleep" (func (param i32 i64) (result f64)))
      (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
      (import "wasi_snapshot_preview1" "toString" (func))
      (import "constructor" "name" (func))
      (import "env" "memory" (memory 1))
      (func (export "_start") (result i32) (i32.const 0)))`,
  );
  const error = (await checkModule('a', module).catch((error) => error)) as HatcheryError;
  t.equal(error.code, 'MODULE_UNSUPPORTED');
  for (const part of [
    'env.emscripten_sleep (i32, i64) -> (f64) is not in the library OS',
    'fd_close (i64) -> (i32) should be (i32) -> (i32)',
    'wasi_snapshot_preview1.toString () -> () is not',
    'constructor.name',
    'the memory env.memory is imported',
    '_start () -> (i32) should be () -> ()',
    'does not export its memory',
  ]) {
    t.match(error.message, part);
  }
});

t.test('who builds for another host is told how to build for WASI', async (t) => {
  const cases: [string, string, RegExp][] = [
    ['env', 'abort', /wasi-shim, or leaves it out with --use abort=/],
    ['env', 'console.log', /wasi-shim/],
    ['gojs', 'runtime.wasmExit', /GOOS=wasip1/],
    ['wbg', '__wbindgen_throw', /rustc --target wasm32-wasip1/],
    ['env', 'emscripten_notify_memory_growth', /-sSTANDALONE_WASM/],
    ['wasi_unstable', 'fd_write', /later compiler/],
    ['env', 'mine', /has wasi_snapshot_preview1 and hatchery(;|\.|$)/],
  ];
  for (const [module, name, advice] of cases) {
    const bytes = await assemble(t, `(module (import "${module}" "${name}" (func)) ${START})`);
    await t.rejects(checkModule('a', bytes), { message: advice }, `${module}.${name}`);
  }
});

t.test('what is exported decides', async (t) => {
  const refusal = async (text: string) =>
    ((await checkModule('a', await assemble(t, text)).catch((error) => error)) as Error).message;
  t.match(await refusal('(module)'), /neither the function _start nor hatchery_handle/);
  t.match(await refusal('(module (memory (export "_start") 1))'), /neither/);
  t.match(await refusal(`(module ${START} (func (export "hatchery_handle")))`), /both/);
  t.match(await refusal(`(module (memory 1) ${START})`), /does not export its memory/);
});

t.test('names of exports cannot become C', async (t) => {
  const exporting = (name: string) =>
    `(module (memory (export "memory") 1) ${START} (func (export "${name}")))`;
  // As a module's text has them: of an end of a comment, an end of a line, and both parted by a joined line.
  for (const name of [
    "' */ int injected(void) { return 1; } /* '",
    'a\\0a#include \\22/etc/passwd\\22',
    '*\\5c\\0a/',
    'a\\5c',
    'a\\0d',
    'a\\00',
  ]) {
    const message = /the export ".*" needs another name/;
    const module = await assemble(t, exporting(name));
    await t.rejects(checkModule('a', module), { code: 'MODULE_UNSUPPORTED', message }, name);
  }
  const tiny = await assemble(t, exporting('main.alloc#wasm/* export?'));
  t.match(await checkModule('a', tiny), { manner: 'command' });
});

t.test('names cannot write to a terminal', async (t) => {
  const module = await assemble(t, '(module (import "a\\1b[2J" "b\\0a" (func)))');
  const { message } = (await checkModule('a', module).catch((error) => error)) as Error;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  t.notMatch(message, /[\u0000-\u001f]/);
});

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const invalid: [string, number[], RegExp][] = [
  ['nothing', [], /ends too early/],
  ['text', [...Buffer.from('(module) ; not assembled')], /does not begin/],
  ['a component', [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], /component.*wasm32-wasip1/],
  ['a later version', [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], /version/],
  ['an unknown section', [...header, 99, 0], /no section 99/],
  ['sections in the wrong order', [...header, 3, 1, 0, 1, 1, 0], /wrong place/],
  ['a section beyond the end', [...header, 1, 100, 0], /too early/],
  ['more types than bytes', [...header, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], /more elements/],
  [
    'a number without end',
    [...header, 1, 6, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
    /too large|too long/,
  ],
  ['bytes behind a section’s end', [...header, 1, 2, 0, 0], /longer than/],
];
for (const [what, bytes, message] of invalid) {
  t.test(`${what} is no module`, async (t) => {
    await t.rejects(checkModule('x', Uint8Array.from(bytes)), { code: 'MODULE_INVALID', message });
  });
}

t.test('types are checked as well', async (t) => {
  const folder = t.testdir({
    'a.wat': '(module (memory (export "memory") 1) (func (export "_start") (drop (i32.add))))',
  });
  await run('wat2wasm', ['--no-check', `${folder}/a.wat`, '-o', `${folder}/a.wasm`]);
  await t.rejects(checkModule('a', readFileSync(`${folder}/a.wasm`)), {
    code: 'MODULE_INVALID',
    message: /not enough arguments/,
  });
});

/** A module with one function, `_start`, of these bytes. */
function withBody(...code: number[]): Uint8Array {
  return moduleOf(Uint8Array.from(code));
}

function moduleOf(code: Uint8Array): Uint8Array {
  const sized = (bytes: Uint8Array) => Buffer.concat([Buffer.from(leb(bytes.length)), bytes]);
  const section = (id: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([id]), sized(bytes)]);
  return Buffer.concat([
    Buffer.from(header),
    section(1, Buffer.from([1, 0x60, 0, 0])),
    section(3, Buffer.from([1, 0])),
    section(5, Buffer.from([1, 0, 1])),
    section(
      7,
      Buffer.from([2, 6, ...Buffer.from('_start'), 0, 0, 6, ...Buffer.from('memory'), 2, 0]),
    ),
    section(10, Buffer.concat([Buffer.from([1]), sized(Buffer.concat([Buffer.from([0]), code]))])),
  ]);
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))];
}

t.test('what would exhaust the translator’s stack is refused', async (t) => {
  const nested = (depth: number) =>
    moduleOf(
      Buffer.concat([Buffer.from('0240'.repeat(depth), 'hex'), Buffer.alloc(depth + 1, 0x0b)]),
    );
  t.match(await checkModule('a', nested(MAX_NESTING - 1)), { manner: 'command' });
  await t.rejects(checkModule('a', nested(100_000)), { code: 'MODULE_INVALID', message: /nested/ });
});

t.test('whatever the bytes are, it reads them or says what is wrong', async (t) => {
  const real = await assemble(
    t,
    `(module (import "a" "b" (func)) (memory (export "memory") 1) (table 1 funcref)
      (elem (i32.const 0) 0) (data (i32.const 0) "abc") ${START} (func (param i32) (result i32)
      (i32.add (local.get 0) (i32.load offset=4 (i32.const 1)))))`,
  );
  const survives = (bytes: Uint8Array) => {
    try {
      readModule(bytes);
      return true;
    } catch (error) {
      return error instanceof MalformedModule && error.offset <= bytes.length;
    }
  };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(real.length),
      (changes, length) => {
        const bytes = Buffer.from(real);
        for (const [at, value] of changes) bytes[at] = value;
        return survives(bytes) && survives(bytes.subarray(0, length));
      },
    ),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (code) => survives(withBody(...code, 0x0b))),
  );
});

t.test('what V8 takes for valid code is read to its end', async (t) => {
  const { WebAssembly } = globalThis as unknown as {
    WebAssembly: { validate(bytes: Uint8Array): boolean };
  };
  let valid = 0;
  const opcodes = fc.array(fc.constantFrom(...Array(0xd3).keys(), 0xfc), { maxLength: 12 });
  fc.assert(
    fc.property(opcodes, fc.array(fc.nat(3)), (code, immediates) => {
      const bytes = withBody(...code.flatMap((op, i) => [op, ...immediates.slice(i, i + 2)]), 0x0b);
      if (WebAssembly.validate(bytes)) {
        valid += 1;
        readModule(bytes);
      }
    }),
    { numRuns: 5_000 },
  );
  t.ok(valid > 50, `${valid} were valid`);
});
