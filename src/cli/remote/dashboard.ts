/** `hatchery dashboard`: a link that opens a server's dashboard in a browser, once. */
import type { Command } from 'commander';
import type { Scope } from '../../client/index.js';
import { DASHBOARD_SCOPES, dashboardUrl } from '../dashboard-link.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { collect } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';

interface DashboardOptions extends ConnectionOptions {
  readonly scope?: readonly string[];
}

const EXAMPLES = `
Examples:
  hatchery dashboard
  hatchery dashboard --scope read
  hatchery dashboard --server https://control.example.com --json`;

export function describeDashboard(
  command: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  addConnectionOptions(command)
    .description("make a link that opens a server's dashboard in a browser, once")
    .option(
      '--scope <scope>',
      `what the dashboard may do: read, spawn, deploy or tokens; may be repeated (default: ${DASHBOARD_SCOPES.join(', ')})`,
      collect,
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ scope, ...options }: DashboardOptions) => {
      const client = connect(options);
      const scopes = scope === undefined ? DASHBOARD_SCOPES : ([...new Set(scope)] as Scope[]);
      const { code, expiresAt } = await client.tokens.createLink(scopes);
      const url = dashboardUrl(client.url, code);
      terminal.result(url, { event: 'linked', url, scopes, expiresAt });
      terminal.note(`It works once, until ${new Date(expiresAt).toLocaleTimeString()}.`);
      settle(EXIT_CODES.ok.code);
    });
}
