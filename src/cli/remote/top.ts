/** `hatchery top`: what a server's functions do, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { HatcheryClient, InstanceFacts } from '../../client/index.js';
import { EXIT_CODES } from '../exit-codes.js';
import { tableOf } from '../table.js';
import type { Terminal } from '../terminal.js';
import { wholeNumber } from '../values.js';
import { addConnectionOptions, type ConnectionOptions, connect } from './connection.js';
import { abortOnStop } from './log-lines.js';
import { Tally, type TallyRow } from './tally.js';

interface TopOptions extends ConnectionOptions {
  /** Seconds. */
  readonly interval: number;
  readonly count?: number;
}

const EXAMPLES = `
Examples:
  hatchery top
  hatchery top --interval 5 --count 12 --json`;

const MAX_SECONDS = 3_600;
const MAX_TABLES = 1_000_000;

export function describeTop(
  command: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  addConnectionOptions(command)
    .description('requests, times and failures of the functions, again and again')
    .option('--interval <seconds>', 'time between two tables', wholeNumber(1, MAX_SECONDS), 1)
    .option(
      '--count <number>',
      'how many tables (default: until it is stopped)',
      wholeNumber(1, MAX_TABLES),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (options: TopOptions) => settle(await top(options, terminal)));
}

async function top(
  { interval, count, ...options }: TopOptions,
  terminal: Terminal,
): Promise<number> {
  const client = connect(options);
  // What keeps it from working is said before the first table.
  await client.server();
  const stop = abortOnStop();
  const tally = new Tally();
  const counting = countEvents(client, tally, stop.signal);
  try {
    for (let shown = 0; count === undefined || shown < count; shown += 1) {
      const pause = sleep(interval * 1000, undefined, { signal: stop.signal }).catch(() => {});
      await Promise.race([pause, counting]);
      if (stop.signal.aborted) {
        break;
      }
      const instances = await client.instances.list();
      show({ ...tally.take(interval), instances }, terminal);
    }
  } finally {
    stop.abort();
  }
  await counting;
  return EXIT_CODES.ok.code;
}

async function countEvents(
  client: HatcheryClient,
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of client.events({ signal })) {
    tally.add(event);
  }
}

/** Clears the screen and goes to its top left corner, where a person looks at it. */
const CLEAR = '\u001b[H\u001b[2J';
const TITLES = [
  'FUNCTION',
  'REQ/S',
  'P50 MS',
  'P99 MS',
  'REFUSED',
  'KILLED',
  'CRASHED',
  'INSTANCES',
];

interface Shown {
  readonly rows: readonly TallyRow[];
  readonly omitted: number;
  readonly instances: readonly InstanceFacts[];
}

function show({ rows, omitted, instances }: Shown, terminal: Terminal): void {
  const living = (name: string) => instances.filter((one) => one.function === name).length;
  const table = tableOf(
    TITLES,
    rows.map((row) => [
      ...[row.function, row.requestsPerSecond.toFixed(1), inMs(row.p50), inMs(row.p99)],
      ...[row.refused, row.killed, row.crashed, living(row.function)],
    ]),
  );
  const more = omitted === 0 ? '' : `\n(and ${omitted} requests that were too many to be told)`;
  const others = `\n${instances.length} instances spawned`;
  const text = `${table}${more}${others}`;
  terminal.result(process.stdout.isTTY ? `${CLEAR}${text}` : `${text}\n`, {
    time: new Date().toISOString(),
    functions: rows,
    omitted,
    instances: instances.length,
  });
}

function inMs(milliseconds: number | null): string {
  return milliseconds === null ? '-' : milliseconds.toFixed(3);
}
