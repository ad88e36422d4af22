/** `hatchery function …`: functions of a server. */
import { isDigest } from '../../image/store/image-name.js';
import { EXIT_CODES } from '../exit-codes.js';
import { tableOf } from '../table.js';
import type { Terminal } from '../terminal.js';
import { wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import { describeDeploy } from './deploy.js';
import { type LogOptions, showLogs } from './log-lines.js';
import type { DescribeNoun } from './noun.js';

const EXAMPLES = `
Examples:
  hatchery function deploy examples/hello.ts
  hatchery function ls --json
  hatchery function rollback shop --to 3
  hatchery function logs shop --follow`;

const MAX_LINES = 1_000;
/** As `image ls` shows it. */
const SHORT_DIGEST = 'sha256:'.length + 12;
const MAX_VERSION = Number.MAX_SAFE_INTEGER;

export const describeFunction: DescribeNoun = (noun, add, terminal, settle) => {
  noun.description('deploy and manage functions of a server').addHelpText('after', EXAMPLES);
  describeDeploy(add('deploy'), terminal, settle);
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

async function list(options: ConnectionOptions, terminal: Terminal): Promise<number> {
  const functions = await connect(options).functions.list();
  const rows = functions.map(({ name, version, state, image, strategy, routes, problem }) => [
    name,
    version,
    state,
    isDigest(image) ? image.slice(0, SHORT_DIGEST) : image,
    strategy ?? '-',
    problem ?? routes.at(-1) ?? '',
  ]);
  const titles = ['NAME', 'VERSION', 'STATE', 'IMAGE', 'STRATEGY', 'REACHED AT'];
  terminal.result(tableOf(titles, rows), { functions });
  return EXIT_CODES.ok.code;
}
