/** `hatchery token …`: who may use a server's control API. */
import type { Scope } from '../../client/index.js';
import { HatcheryError } from '../../errors.js';
import { EXIT_CODES } from '../exit-codes.js';
import { tableOf } from '../table.js';
import { collect, wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import type { DescribeNoun } from './noun.js';

const EXAMPLES = `
Examples:
  hatchery token create ci --scope deploy --expires 86400
  hatchery token ls
  hatchery token rm 0123456789ab`;

const MAX_SECONDS = 366 * 86_400;

interface CreateOptions extends ConnectionOptions {
  readonly scope?: readonly string[];
  readonly expires?: number;
}

export const describeToken: DescribeNoun = (noun, add, terminal, settle) => {
  noun.description('manage who may use a server').addHelpText('after', EXAMPLES);
  addConnectionOptions(add('create <name>'))
    .description('make a token; its text is shown this once')
    .option('--scope <scope>', 'read, deploy, spawn or tokens; may be repeated', collect)
    .option(
      '--expires <seconds>',
      'how long it is good (default: for ever)',
      wholeNumber(1, MAX_SECONDS),
    )
    .action(async (name: string, options: CreateOptions) => {
      const { scope, expires } = options;
      if (scope === undefined) {
        throw new HatcheryError('INVALID_ARGUMENT', { problem: 'give at least one --scope' });
      }
      const created = await connect(options).tokens.create({
        name,
        scopes: [...scope] as Scope[],
        ...(expires === undefined ? {} : { expiresInSeconds: expires }),
      });
      terminal.result(created.token, { event: 'created', ...created });
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('ls'))
    .description('list the tokens, without their text')
    .action(async (options: ConnectionOptions) => {
      const tokens = await connect(options).tokens.list();
      const rows = tokens.map(({ id, name, scopes, createdAt, expiresAt }) => [
        ...[id, name, scopes.join(' '), createdAt, expiresAt ?? 'never'],
      ]);
      terminal.result(tableOf(['ID', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES'], rows), { tokens });
      settle(EXIT_CODES.ok.code);
    });
  addConnectionOptions(add('rm <id>'))
    .description('remove a token; what uses it is refused from now on')
    .action(async (id: string, options: ConnectionOptions) => {
      await connect(options).tokens.remove(id);
      terminal.result(`Removed ${id}.`, { event: 'removed', token: id });
      settle(EXIT_CODES.ok.code);
    });
};
