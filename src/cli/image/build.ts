/** `hatchery image build SOURCE…`: an image of a WebAssembly module, or of a C program. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { HatcheryError } from '../../errors.js';
import type { BuildResult } from '../../image/build/image-builder.js';
import { Images } from '../../image/images.js';
import { checkImageName } from '../../image/store/image-name.js';
import { EXIT_CODES } from '../exit-codes.js';
import { addFolderOption } from '../folder-option.js';
import { functionName } from '../function-options.js';
import type { Terminal } from '../terminal.js';
import { parseBytes } from '../values.js';

interface BuildOptions {
  readonly name?: string;
  readonly dir?: readonly string[];
  readonly memory?: number;
}

const EXAMPLES = `
Examples:
  hatchery image build app.wasm
  hatchery image build app.wat --name greeter --memory 32MiB
  hatchery image build app.wasm --dir public:/srv
  hatchery image build main.c parse.c parse.h
  hatchery image build main.c -- -DMODE=2 -lm`;

export function describeBuild(
  command: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  addFolderOption(command)
    .argument('[source...]', 'a module (.wasm or .wat), or C files and folders; behind --, flags')
    .description('build an image of a WebAssembly module or a C program, and store it')
    .option('--name <name>', "the image's name (default: from the first source's)")
    .option(
      '--memory <size>',
      'memory of an instance, where its function does not say it (default: 64MiB, or what it needs)',
      parseBytes,
    )
    .addHelpText('after', EXAMPLES)
    .action(async (given: readonly string[], options: BuildOptions) => {
      const { operands: sources, flags } = splitAtDashes(command, given);
      settle(await build(sources, flags, options, terminal));
    });
}

async function build(
  sources: readonly string[],
  flags: readonly string[],
  options: BuildOptions,
  terminal: Terminal,
): Promise<number> {
  const [first] = sources;
  if (first === undefined) {
    throw new HatcheryError('INVALID_ARGUMENT', { problem: 'give a source: app.wasm, or main.c' });
  }
  const name = options.name ?? functionName(resolve(first));
  checkImageName(name);
  if (await new Images().isBuiltIn(name)) {
    const problem = `${name} is the name of an image of Hatchery itself: give another with --name`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem });
  }
  const { dir: folders = [], memory: memoryBytes } = options;
  const { buildImage } = await import('./builder.js');
  const result = await buildImage({ name, sources, folders, memoryBytes, flags }, terminal);
  terminal.result(textOf(name, result), {
    event: 'built',
    ...{ name, digest: result.image.digest, size: result.image.size },
    ...{ wasBuilt: result.wasBuilt, milliseconds: result.milliseconds },
  });
  return EXIT_CODES.ok.code;
}

function textOf(name: string, { image, wasBuilt, milliseconds }: BuildResult): string {
  const time = `${milliseconds.toFixed(0)} ms`;
  const how = wasBuilt ? `It was built before (${time})` : `Built in ${time}`;
  const kibibytes = (image.size / 1024).toFixed(0);
  return `${how}: ${name}, ${kibibytes} KiB\n  ${image.digest}`;
}

/**
 * What stands before `--` and behind it: the parser gives both as one list, and keeps what was typed.
 */
function splitAtDashes(
  command: Command,
  given: readonly string[],
): { readonly operands: readonly string[]; readonly flags: readonly string[] } {
  let root = command;
  while (root.parent !== null) {
    root = root.parent;
  }
  const { rawArgs = [] } = root as { readonly rawArgs?: readonly string[] };
  const dashes = rawArgs.indexOf('--');
  const count = dashes < 0 ? 0 : rawArgs.length - dashes - 1;
  const at = given.length - count;
  return { operands: given.slice(0, at), flags: given.slice(at) };
}
