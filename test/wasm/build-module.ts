/** Makes modules of C programs, and images of modules, as a user's tools would. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const SDK = fileURLToPath(new URL('../../sdk', import.meta.url));
const PROGRAMS = fileURLToPath(new URL('../../../test/wasm/programs', import.meta.url));

/** Why no C program can become a module here, or false. */
export const noWasiCompiler: string | false =
  spawnSync('clang', ['--target=wasm32-wasi', '-x', 'c', '-', '-o', '/dev/null'], {
    input: '#include <stdio.h>\nint main(void) { return 0; }',
  }).status === 0
    ? false
    : 'needs clang, lld, wasi-libc and libclang-rt-dev-wasm32';

/** Compiles `programs/NAME.c` for WASI; returns the module's path. */
export async function moduleOf(
  name: string,
  folder: string,
  ...flags: readonly string[]
): Promise<string> {
  const module = `${folder}/${name}.wasm`;
  const options = ['--target=wasm32-wasi', '-O1', ...flags];
  await execute('clang', [...options, `${PROGRAMS}/${name}.c`, '-o', module]);
  return module;
}

/** Assembles a module; returns its path. */
export async function assembled(text: string, name: string, folder: string): Promise<string> {
  const module = `${folder}/${name}.wasm`;
  const child = execute('wat2wasm', ['-', '-o', module]);
  child.child.stdin?.end(text);
  await child;
  return module;
}

/** Makes an image of a module; returns its path. The error's `stderr` has what the tools said. */
export async function imageOf(module: string, files?: string): Promise<string> {
  const work = `${module}.work`;
  const image = `${module}.elf`;
  await mkdir(work);
  const packed = files === undefined ? [] : ['--files', files];
  await execute(`${SDK}/build-wasm`, [image, work, module, ...packed]);
  return image;
}
