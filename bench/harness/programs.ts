import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { BUILD, SOURCES } from './folders.js';

const COMPILERS = ['musl-gcc', 'gcc'] as const;

/** Whether a command can be found on the path. */
export function isInstalled(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/**
 * Compiles `bench/programs/NAME.c` into `build/bench/NAME/NAME`, alone in its folder so that the
 * folder may serve as the root of a container, unless it is there and newer than its source. Linked
 * statically: against musl with musl-gcc where that is installed, else against glibc.
 *
 * @returns the absolute path of the program.
 * @throws Error with the compiler's messages, or when there is no compiler.
 */
export function compileProgram(name: string): string {
  const source = path.join(SOURCES, 'programs', `${name}.c`);
  const program = path.join(BUILD, name, name);
  if ((statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0) > statSync(source).mtimeMs) {
    return program;
  }
  const compiler = COMPILERS.find(isInstalled);
  if (compiler === undefined) throw new Error('install musl-tools: the benchmarks compile C');
  mkdirSync(path.dirname(program), { recursive: true });
  const unfinished = path.join(BUILD, `${name}.${process.pid}`);
  const { status, stderr } = spawnSync(
    compiler,
    ['-O2', '-Wall', '-Wextra', '-static', source, '-o', unfinished],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${compiler} ${source} failed:\n${stderr}`);
  renameSync(unfinished, program);
  return program;
}

/** The version that `COMMAND --version` names first, or an empty text. */
export function versionOf(command: string): string {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(stdout ?? '')?.[0] ?? '';
}
