/** `hatchery events`: what happens on a server, as it happens. */
import type { Command } from 'commander';
import type { ControlEvent } from '../../client/index.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import { abortOnStop, printable } from './log-lines.js';

interface EventsOptions extends ConnectionOptions {
  readonly function?: string;
  readonly count?: number;
}

const EXAMPLES = `
Examples:
  hatchery events
  hatchery events --function shop --json
  hatchery events --count 100`;

const MAX_EVENTS = 1_000_000_000;

export function describeEvents(
  command: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  addConnectionOptions(command)
    .description('what happens on a server, as it happens')
    .option('--function <name>', 'only what is of that function')
    .option(
      '--count <number>',
      'end after so many (default: when it is stopped)',
      wholeNumber(1, MAX_EVENTS),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (options: EventsOptions) => {
      const { function: name, count = Number.POSITIVE_INFINITY } = options;
      const { signal } = abortOnStop();
      let shown = 0;
      const of = name === undefined ? {} : { function: name };
      for await (const event of connect(options).events({ ...of, signal })) {
        terminal.result(lineOf(event), event);
        shown += 1;
        if (shown >= count) {
          break;
        }
      }
      settle(EXIT_CODES.ok.code);
    });
}

function lineOf(event: ControlEvent): string {
  const { type, at, function: name, instance, version, status, timeline, code, reason } = event;
  const total = Object.values(timeline ?? {}).reduce((sum, phase) => sum + phase, 0);
  const words = [
    new Date(at).toISOString(),
    type.padEnd(8),
    name,
    version === undefined ? undefined : `version ${version}`,
    instance,
    status,
    timeline === undefined ? undefined : `${total.toFixed(3)} ms`,
    code,
    reason,
    event.where,
    event.count === undefined ? undefined : `${event.count} events`,
  ];
  return printable(words.filter((word) => word !== undefined).join('  '));
}
