/** `hatchery function …`: functions of a server. */
import { Option } from 'commander';
import { EXIT_CODES } from '../exit-codes.js';
import { addLimitOptions } from '../limit-options.js';
import { tableOf } from '../table.js';
import type { Terminal } from '../terminal.js';
import { collect, collectEnv, wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import { type DeployOptions, deployRequest, nameFor } from './deploy-request.js';
import { type LogOptions, showLogs } from './log-lines.js';
import type { AddCommand, DescribeNoun } from './noun.js';

const EXAMPLES = `
Examples:
  hatchery function deploy examples/hello.ts
  hatchery function deploy app.ts --name shop --env MODE=live --secret-file .secrets --bind shop.example.com
  hatchery function ls --json
  hatchery function rollback shop --to 3
  hatchery function logs shop --follow`;

const MAX_LINES = 1_000;
const MAX_VERSION = Number.MAX_SAFE_INTEGER;
const MAX_POOL = 1_024;

export const describeFunction: DescribeNoun = (noun, add, terminal, settle) => {
  noun.description('deploy and manage functions of a server').addHelpText('after', EXAMPLES);
  describeDeploy(add, terminal, settle);
  addConnectionOptions(add('ls'))
    .description('list the functions')
    .action(async (options: ConnectionOptions) => settle(await list(options, terminal)));
  addConnectionOptions(add('rm <name>'))
    .description('remove a function with all its versions')
    .action(async (name: string, options: ConnectionOptions) => {
      await connect(options).functions.remove(name);
      terminal.result(`Removed ${name}.`, { event: 'removed', function: name });
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('rollback <name>'))
    .description('let an earlier version answer again')
    .option(
      '--to <version>',
      'which one (default: the one before the current one)',
      wholeNumber(1, MAX_VERSION),
    )
    .action(async (name: string, options: ConnectionOptions & { readonly to?: number }) => {
      const { version } = await connect(options).functions.rollBack(name, options.to);
      const text = `Version ${version} of ${name} answers again.`;
      terminal.result(text, { event: 'rolled-back', function: name, version });
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('logs <name>'))
    .description('what a function logged, and how it failed')
    .option('--follow', 'go on with what it logs from now on')
    .option('--tail <number>', 'earlier lines at most', wholeNumber(0, MAX_LINES), 100)
    .action(async (name: string, options: ConnectionOptions & LogOptions) => {
      await showLogs(connect(options).functions, name, options, terminal);
      settle(EXIT_CODES.ok.code);
    });
};

function describeDeploy(add: AddCommand, terminal: Terminal, settle: (code: number) => void): void {
  const command = addConnectionOptions(add('deploy [file]'))
    .description('deploy a file, bundled here, or an image; a new version where the name is taken')
    .option('--name <name>', "the function's name (default: from the file's)")
    .option('--image <name>', 'an image of the server, by name or digest, in the place of a file')
    .option('--word <word>', "an argument for the image's program; may be repeated", collect)
    .option('--env <KEY=VALUE>', 'a variable for the function; may be repeated', collectEnv)
    .option('--env-file <file>', 'a file of variables, KEY=VALUE in each line; --env wins')
    .option('--secret-file <file>', 'the same for secrets, which nothing shows')
    .option('--keep-secret <name>', 'a secret that stays as it is; may be repeated', collect)
    .option('--allow-fetch <host>', 'a host that it may fetch from; may be repeated', collect)
    .option('--bind <host>', 'a host name whose requests go to it; may be repeated', collect)
    .addOption(
      new Option('--strategy <name>', 'how a request gets its virtual machine').choices([
        ...['reset', 'clone', 'pool', 'boot'],
      ]),
    )
    .option(
      '--pool-size <number>',
      'virtual machines kept ready, in each worker',
      wholeNumber(0, MAX_POOL),
    );
  addLimitOptions(command).action(
    async (file: string | undefined, options: ConnectionOptions & DeployOptions) => {
      const name = nameFor(file, options);
      const body = await deployRequest(name, file, options);
      const deployed = await connect(options).functions.deploy(name, body);
      const { version, strategy, milliseconds, routes } = deployed;
      terminal.result(
        `Deployed version ${version} of ${name} in ${milliseconds.toFixed(0)} ms (${strategy})\n` +
          routes.map((route) => `  ${route}`).join('\n'),
        { event: 'deployed', ...deployed },
      );
      settle(EXIT_CODES.ok.code);
    },
  );
}

async function list(options: ConnectionOptions, terminal: Terminal): Promise<number> {
  const functions = await connect(options).functions.list();
  const rows = functions.map(({ name, version, state, image, strategy, routes, problem }) => [
    name,
    version,
    state,
    image,
    strategy ?? '-',
    problem ?? routes.at(-1) ?? '',
  ]);
  const titles = ['NAME', 'VERSION', 'STATE', 'IMAGE', 'STRATEGY', 'REACHED AT'];
  terminal.result(tableOf(titles, rows), { functions });
  return EXIT_CODES.ok.code;
}
