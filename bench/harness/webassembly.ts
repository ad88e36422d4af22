/** WebAssembly modules from C, and images from those. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { BUILD, ROOT, SOURCES } from './folders.js';

function run(command: string, args: readonly string[], folder?: string): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd: folder });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} failed:\n${stderr}`);
}

/**
 * Compiles `bench/programs/NAME.c`, which needs no C library, into a module.
 *
 * @returns the absolute path of `build/bench/NAME/NAME.wasm`.
 * @throws Error with the compiler's messages, or when there is no clang.
 */
export function compileModule(name: string): string {
  const module = path.join(BUILD, name, `${name}.wasm`);
  mkdirSync(path.dirname(module), { recursive: true });
  run('clang', [
    ...['--target=wasm32', '-O2', '-Wall', '-Wextra', '-nostdlib', '-Wl,--no-entry'],
    ...[path.join(SOURCES, 'programs', `${name}.c`), '-o', module],
  ]);
  return module;
}

/**
 * Makes an image of a module with the SDK.
 *
 * @returns the absolute path of the image, an ELF file beside the module.
 * @throws Error with what the SDK says.
 */
export function buildModuleImage(module: string): string {
  const image = module.replace(/\.wasm$/, '.elf');
  const work = mkdtempSync(path.join(BUILD, 'image-'));
  try {
    const made = path.join(work, 'made.elf');
    run(path.join(ROOT, 'dist/sdk/build-wasm'), [made, work, module], work);
    renameSync(made, image);
  } finally {
    rmSync(work, { recursive: true });
  }
  return image;
}
