/** `hatchery version`: what is installed. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT_CODES } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** The version in this package's package.json. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

export function describeVersion(command: Command): Command {
  return command
    .description('print the version')
    .addHelpText('after', '\nExamples:\n  hatchery version\n  hatchery version --json');
}

export function version(terminal: Terminal): number {
  const facts = { hatchery: packageVersion(), node: process.versions.node };
  terminal.result(`hatchery ${facts.hatchery} (Node ${facts.node})`, facts);
  return EXIT_CODES.ok.code;
}
