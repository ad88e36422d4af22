/**
 * One module that makes whatever calls of WASI a request's body asks for, so that a test is a list of
 * calls and of what they give. Which calls there are, and their parameters, is from
 * wasi_snapshot_preview1.witx of the specification.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Parameters: `i` is 32 bits wide, `l` is 64. All give an error number but the last two; the last is no call
 * of WASI.
 */
const CALLS = {
  args_get: 'ii',
  args_sizes_get: 'ii',
  environ_get: 'ii',
  environ_sizes_get: 'ii',
  clock_res_get: 'ii',
  clock_time_get: 'ili',
  fd_advise: 'illi',
  fd_allocate: 'ill',
  fd_close: 'i',
  fd_datasync: 'i',
  fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii',
  fd_fdstat_set_rights: 'ill',
  fd_filestat_get: 'ii',
  fd_filestat_set_size: 'il',
  fd_filestat_set_times: 'illi',
  fd_pread: 'iiili',
  fd_prestat_get: 'ii',
  fd_prestat_dir_name: 'iii',
  fd_pwrite: 'iiili',
  fd_read: 'iiii',
  fd_readdir: 'iiili',
  fd_renumber: 'ii',
  fd_seek: 'ilii',
  fd_sync: 'i',
  fd_tell: 'ii',
  fd_write: 'iiii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiilli',
  path_link: 'iiiiiii',
  path_open: 'iiiiillii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  poll_oneoff: 'iiii',
  random_get: 'ii',
  sched_yield: '',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
  proc_raise: 'i',
  proc_exit: 'i',
  grow: 'i',
} as const;

export type CallName = keyof typeof CALLS;
const NAMES = Object.keys(CALLS) as CallName[];
export const WASI_CALLS = NAMES.filter((name) => name !== 'grow');

/** Where the module keeps what it is told and what it answers; a test has all below. */
const FREE_BYTES = 0x20000;
const SCRIPT = FREE_BYTES;
const OUTPUT = 0x30000;
export const MEMORY_BYTES = 0x40000;

const ARGUMENTS_MAX = 9;
const CALL_BYTES = 16 + ARGUMENTS_MAX * 16;

/** An argument that stands in the module's memory, where an earlier call put it: 32 bits wide. */
export interface Stored {
  readonly at: number;
}
export type Argument = number | bigint | Stored;

export type Step =
  | { readonly call: CallName; readonly args: readonly Argument[] }
  | { readonly poke: number; readonly bytes: Uint8Array }
  | { readonly peek: number; readonly count: number };

export const call = (name: CallName, ...args: Argument[]): Step => ({ call: name, args });
export const poke = (address: number, bytes: Uint8Array | string): Step => ({
  poke: address,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
});
export const peek = (address: number, count: number): Step => ({ peek: address, count });

/** Little-endian numbers of 32 bits, one behind the other. */
export function words(...numbers: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

function wat(): string {
  const imports = WASI_CALLS.map((name) => {
    const parameters = [...CALLS[name]].map((width) => (width === 'i' ? 'i32' : 'i64')).join(' ');
    const result = name === 'proc_exit' ? '' : '(result i32)';
    return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) ${result}))`;
  });
  const wrappers = NAMES.map((name) => {
    const args = [...CALLS[name]].map((width, index) => {
      const argument = `(call $argument (i32.add (local.get $at) (i32.const ${index * 16})))`;
      return width === 'i' ? `(i32.wrap_i64 ${argument})` : argument;
    });
    const made = name === 'grow' ? `(memory.grow ${args})` : `(call $${name} ${args.join(' ')})`;
    return `(func $make_${name} (param $at i32) (result i32) ${made} ${name === 'proc_exit' ? 'unreachable' : ''})`;
  });
  return `(module
    (type $maker (func (param i32) (result i32)))
    ${imports.join('\n')}
    (memory (export "memory") ${MEMORY_BYTES / 65536})
    (table funcref (elem ${NAMES.map((name) => `$make_${name}`).join(' ')}))
    (data (i32.const ${OUTPUT}) "content-type: application/octet-stream\\n\\n")
    (func $argument (param $at i32) (result i64)
      (if (result i64) (i64.eqz (i64.load (local.get $at)))
        (then (i64.load offset=8 (local.get $at)))
        (else (i64.load32_u (i32.wrap_i64 (i64.load offset=8 (local.get $at)))))))
    ${wrappers.join('\n')}
    (func $read (local $end i32)
      (local.set $end (i32.const ${SCRIPT}))
      (loop $more
        (i32.store (i32.const 0) (local.get $end))
        (i32.store (i32.const 4) (i32.sub (i32.const ${OUTPUT}) (local.get $end)))
        (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
          (then unreachable))
        (local.set $end (i32.add (local.get $end) (i32.load (i32.const 8))))
        (br_if $more (i32.load (i32.const 8))))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 12)))
    (func (export "_start") (local $at i32) (local $out i32) (local $what i64)
      (call $read)
      (local.set $at (i32.const ${SCRIPT}))
      (local.set $out (i32.const ${OUTPUT + 40}))
      (block $end (loop $next
        (local.set $what (i64.load (local.get $at)))
        (br_if $end (i64.eqz (local.get $what)))
        (if (i64.eq (local.get $what) (i64.const 1)) (then
          (i32.store (local.get $out)
            (call_indirect (type $maker) (i32.add (local.get $at) (i32.const 16))
              (i32.wrap_i64 (i64.load offset=8 (local.get $at)))))
          (local.set $out (i32.add (local.get $out) (i32.const 4)))
          (local.set $at (i32.add (local.get $at) (i32.const ${CALL_BYTES})))
          (br $next)))
        (if (i64.eq (local.get $what) (i64.const 2)) (then
          (memory.copy (i32.wrap_i64 (i64.load offset=8 (local.get $at)))
            (i32.add (local.get $at) (i32.const 24)) (i32.wrap_i64 (i64.load offset=16 (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.and (i32.const -8)
            (i32.add (i32.const 31) (i32.wrap_i64 (i64.load offset=16 (local.get $at)))))))
          (br $next)))
        (memory.copy (local.get $out) (i32.wrap_i64 (i64.load offset=8 (local.get $at)))
          (i32.wrap_i64 (i64.load offset=16 (local.get $at))))
        (local.set $out (i32.add (local.get $out) (i32.wrap_i64 (i64.load offset=16 (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 24)))
        (br $next)))
      (i32.store (i32.const 0) (i32.const ${OUTPUT}))
      (i32.store (i32.const 4) (i32.sub (local.get $out) (i32.const ${OUTPUT})))
      (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))
        (then unreachable))))`;
}

function encode(steps: readonly Step[]): Buffer {
  const parts: Buffer[] = [];
  const longs = (...numbers: (number | bigint)[]) => {
    parts.push(Buffer.from(BigInt64Array.from(numbers, (one) => BigInt(one)).buffer));
  };
  for (const step of steps) {
    if ('call' in step) {
      const args = Array.from({ length: ARGUMENTS_MAX }, (_, index) => step.args[index] ?? 0);
      longs(
        1,
        NAMES.indexOf(step.call),
        ...args.flatMap((one) => (typeof one === 'object' ? [1, one.at] : [0, one])),
      );
    } else if ('poke' in step) {
      longs(2, step.poke, step.bytes.length);
      parts.push(Buffer.from(step.bytes), Buffer.alloc(-step.bytes.length & 7));
    } else {
      longs(3, step.peek, step.count);
    }
  }
  longs(0);
  return Buffer.concat(parts);
}

/** A function, or one instance of it. */
interface Answering {
  fetch(request: Request): Promise<Response>;
}

/**
 * Makes the calls in one request.
 *
 * @returns what they gave: a number for each call, bytes for each peek.
 * @throws Error with the response where the module did not come to its end
 */
export async function make(fn: Answering, ...steps: readonly Step[]): Promise<(number | Buffer)[]> {
  const response = await send(fn, ...steps);
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${response.status}: ${body}`);
  const results: (number | Buffer)[] = [];
  let at = 0;
  for (const step of steps) {
    if ('call' in step) {
      results.push(body.readInt32LE(at));
      at += 4;
    } else if ('peek' in step) {
      results.push(body.subarray(at, at + step.count));
      at += step.count;
    }
  }
  return results;
}

/** The same, as the response that a client gets. */
export function send(fn: Answering, ...steps: readonly Step[]): Promise<Response> {
  return fn.fetch(
    new Request('http://wasi.test/a%20b?c=d', { method: 'POST', body: encode(steps) }),
  );
}

const SDK = fileURLToPath(new URL('../../sdk/', import.meta.url));

/** Images of modules, in a folder of their own; `remove` deletes it. */
export class ModuleImages {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hatchery-modules-'));

  /**
   * @param source WebAssembly text
   * @param files the guest's file system: contents by path
   * @returns the path of the image
   */
  build(name: string, source: string, files: Readonly<Record<string, string>> = {}): string {
    const folder = join(this.#folder, name);
    mkdirSync(join(folder, 'work'), { recursive: true });
    mkdirSync(join(folder, 'files'));
    const at = (file: string) => join(folder, file);
    writeFileSync(at('module.wat'), source);
    execFileSync('wat2wasm', [at('module.wat'), '-o', at('module.wasm')], { stdio: 'pipe' });
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'files', path)), { recursive: true });
      writeFileSync(join(folder, 'files', path), content);
    }
    const roots = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))];
    const archive = roots.length === 0 ? [] : ['--files', at('files.tar')];
    if (roots.length > 0) {
      const form = ['--format=ustar', '--sort=name', '-cf', at('files.tar')];
      execFileSync('tar', [...form, '-C', at('files'), ...roots], { stdio: 'pipe' });
    }
    execFileSync(
      join(SDK, 'build-wasm'),
      [at(`${name}.elf`), at('work'), at('module.wasm'), ...archive],
      {
        stdio: 'pipe',
        cwd: at('work'),
      },
    );
    return at(`${name}.elf`);
  }

  /** The module that makes calls, with these files. */
  buildCalls(files: Readonly<Record<string, string>> = {}): string {
    return this.build('calls', wat(), files);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
