#!/usr/bin/env -S node --
/**
 * The command line `hatchery`: reads it, and gives each command to its file.
 *
 * The `--` above keeps Node 20 from taking an `--env-file` that is meant for us.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { ApiError } from '../client/api-error.js';
import { HatcheryError } from '../errors.js';
import { describeCompletion } from './completion.js';
import { describeDoctor, doctor } from './doctor.js';
import { describeDomain } from './domain/domain.js';
import { EXIT_CODES, exitCodeOf } from './exit-codes.js';
import { describeImage } from './image/image.js';
import { describeDashboard } from './remote/dashboard.js';
import { describeDeploy } from './remote/deploy.js';
import { describeEvents } from './remote/events.js';
import { describeFunction } from './remote/function.js';
import { describeInstance } from './remote/instance.js';
import { describeToken } from './remote/token.js';
import { describeTop } from './remote/top.js';
import { describeRun, run } from './run.js';
import { describeServe, serve } from './serve.js';
import { Terminal } from './terminal.js';
import { describeUp, up } from './up.js';
import { describeVersion, packageVersion, version } from './version.js';

const EXIT_CODE_HELP = `
Exit codes:
${Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${code}  ${meaning}`)
  .join('\n')}`;

/** `settle` gets the exit code of the command that ran. */
function createProgram(terminal: Terminal, settle: (code: number) => void): Command {
  const program = new Command('hatchery')
    .description('Every HTTP request gets its own virtual machine.')
    .version(packageVersion(), '--version', 'print the version')
    .addHelpText('after', EXIT_CODE_HELP)
    .addHelpText('after', '\nExamples:\n  hatchery serve examples/hello.ts\n  hatchery doctor')
    .exitOverride();
  const addTo = (parent: Command, path: string) => (nameAndArguments: string) =>
    parent
      .command(nameAndArguments)
      .option('--json', 'print JSON for programs, one object in each line')
      .showHelpAfterError(
        `Run "${path} ${nameAndArguments.split(' ')[0]} --help" for all options and examples.`,
      )
      .configureOutput({
        writeErr: (text) => {
          if (!terminal.json) process.stderr.write(text);
        },
      });
  const add = addTo(program, 'hatchery');
  describeServe(add('serve')).action(async (file, options) =>
    settle(await serve(file, options, terminal)),
  );
  describeUp(add('up')).action(async (options) => settle(await up(options, terminal)));
  describeDeploy(add('deploy'), terminal, settle);
  const nouns = {
    ...{ function: describeFunction, instance: describeInstance, image: describeImage },
    token: describeToken,
  };
  for (const [noun, describe] of Object.entries(nouns)) {
    const parent = add(noun);
    describe(parent, addTo(parent, `hatchery ${noun}`), terminal, settle);
  }
  describeDashboard(add('dashboard'), terminal, settle);
  describeEvents(add('events'), terminal, settle);
  describeTop(add('top'), terminal, settle);
  describeCompletion(add('completion'), program, terminal, settle);
  describeRun(add('run')).action(async (file, options) =>
    settle(await run(file, options, terminal)),
  );
  describeDoctor(add('doctor')).action(async () => settle(await doctor(terminal)));
  const domain = add('domain');
  describeDomain(domain, addTo(domain, 'hatchery domain'), terminal, settle);
  describeVersion(add('version')).action(() => settle(version(terminal)));
  return program.showHelpAfterError('Run "hatchery --help" for the commands.');
}

/**
 * Runs one command line.
 *
 * @param argv without the program's name.
 * @returns the exit code, see {@link EXIT_CODES}; errors have been printed.
 */
export async function main(argv: readonly string[]): Promise<number> {
  // What is behind -- is a compiler's.
  const dashes = argv.indexOf('--');
  const terminal = new Terminal((dashes < 0 ? argv : argv.slice(0, dashes)).includes('--json'));
  let code: number = EXIT_CODES.ok.code;
  try {
    const program = createProgram(terminal, (settled) => {
      code = settled;
    });
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      return usageCode(error, terminal);
    }
    const known = error instanceof ApiError ? error : HatcheryError.from(error);
    terminal.error(known);
    return exitCodeOf(known.code);
  }
}

/** commander has printed help or the problem already, but for a program that reads JSON. */
function usageCode(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) {
    return EXIT_CODES.ok.code;
  }
  if (terminal.json) {
    const problem = error.message.replace(/^error: /, '').replace(/\.$/, '');
    terminal.error(new HatcheryError('INVALID_ARGUMENT', { problem }));
  }
  return EXIT_CODES.usage.code;
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
