/** The options that say what is deployed and how: those that `serve` and `run` share. */
import { statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { type FunctionDefinition, LUA_IMAGE } from '../fabric/definition.js';
import { addLimitOptions, limitsFrom } from './limit-options.js';
import { addDriverOptions, addLogOption, type DriverOptions } from './server-options.js';
import { collect, collectEnv, readEnvFile } from './values.js';

export interface FunctionOptions extends DriverOptions {
  readonly strategy?: Strategy;
  readonly allowFetch?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly envFile?: string;
}

const STRATEGIES: readonly Strategy[] = ['reset', 'clone', 'pool', 'boot'];

export function addFunctionOptions(command: Command): Command {
  const withFile = command.argument(
    '<file>',
    'TypeScript or JavaScript with "export default { fetch }", Lua with "function handle", a module ' +
      '(.wasm or .wat) or a C program (.c), which are built, or an image (.elf)',
  );
  const described = addDriverOptions(withFile)
    .addOption(
      new Option(
        '--strategy <name>',
        "how a request gets its virtual machine (default: the driver's choice)",
      ).choices(STRATEGIES),
    )
    .option(
      '--allow-fetch <host>',
      'a host that the function may fetch from, such as api.example.com; may be repeated',
      collect,
    )
    .option('--env <KEY=VALUE>', 'a variable for the function; may be repeated', collectEnv)
    .option('--env-file <file>', 'a file of variables, KEY=VALUE in each line; --env wins');
  return addLimitOptions(addLogOption(described));
}

/**
 * What is to be deployed. Reads the file of --env-file, so it may differ from one time to the next.
 * @throws HatcheryError INVALID_ARGUMENT where a file cannot be read
 */
export function definitionFrom(file: string, options: FunctionOptions): FunctionDefinition {
  const path = resolve(file);
  checkFile(path);
  const fromFile = options.envFile === undefined ? {} : readEnvFile(options.envFile);
  return {
    name: functionName(path),
    ...codeOf(path),
    env: { ...fromFile, ...options.env },
    limits: limitsFrom({ ...options }),
    ...(options.allowFetch === undefined ? {} : { allowFetch: options.allowFetch }),
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
  };
}

/** Of an image that is built first, the caller knows it. */
function codeOf(path: string): Pick<FunctionDefinition, 'image' | 'file'> {
  switch (extname(path)) {
    case '.elf':
    case '.wasm':
    case '.wat':
    case '.c':
      return { image: path };
    case '.lua':
      return { image: LUA_IMAGE, file: path };
    default:
      return { file: path };
  }
}

/** @throws HatcheryError INVALID_ARGUMENT */
export function checkFile(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) {
    const problem = stats === undefined ? 'does not exist' : 'is not a file';
    throw new HatcheryError('INVALID_ARGUMENT', {
      problem: `${path} ${problem}; give the file of a function, for instance examples/hello.ts`,
    });
  }
}

/** A function's name from its file's: `Hello World.ts` is `hello-world`. */
export function functionName(path: string): string {
  const name = basename(path, extname(path))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'function' : name;
}
