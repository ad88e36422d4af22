/**
 * `npm run soak -- --minutes N`: holds twice the load that a server sustains, with functions that
 * behave, crash, hang and take too much, and looks whether anything is lost or grows.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT, SOURCES } from '../harness/folders.js';
import { Client } from './client.js';
import { SERVE_OPTIONS } from './mix.js';
import { type Resources, resourcesOf } from './resources.js';

const HELP = `Usage: npm run soak -- [options]

  --minutes N   how long the load is held (default: 1)
  --json        print the result as JSON
  --help        this text
`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** How the load grows, in requests a second, until the server does not keep up with it. */
const FIRST_RATE = 500;
const GROWTH = 1.5;
const KEEPS_UP = 0.9;
const PROBE_MILLISECONDS = 3_000;
const TICK_MILLISECONDS = 10;
const REPORT_MILLISECONDS = 5_000;
/** At the full load, before anything is compared: caches and heaps grow to what the load needs. */
const WARM_UP_MILLISECONDS = 20_000;
/** After the load, until what was idle is given back. */
const SETTLE_MILLISECONDS = 8_000;
/** What may be left of a load, for caches and a heap that was not collected. */
const MOST_GROWN_MEBIBYTES = 64;
const MOST_GROWN = 8;

interface Served {
  readonly child: ChildProcess;
  readonly origin: string;
}

async function startServer(): Promise<Served> {
  const child = spawn(
    process.execPath,
    [
      `${ROOT}dist/src/cli/main.js`,
      ...['serve', `${SOURCES}functions/mixed.ts`, '--port', '0', '--json'],
      ...SERVE_OPTIONS,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_ENV: 'production' } },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { event?: string; url?: string };
    if (event.event === 'listening' && event.url !== undefined) {
      return { child, origin: event.url };
    }
  }
  throw new Error('the server ended before it listened');
}

/** Requests per second that are served when there are more: the load grows until some are refused. */
async function sustainable(origin: string): Promise<number> {
  for (let rate = FIRST_RATE; ; rate *= GROWTH) {
    const client = new Client(origin);
    await hold(client, rate, PROBE_MILLISECONDS, () => {});
    const { served, sent } = client;
    while (client.underWay > 0) await sleep(TICK_MILLISECONDS);
    client.close();
    if (served < KEEPS_UP * sent) return (1000 * served) / PROBE_MILLISECONDS;
  }
}

/** Sends so many requests a second, whatever becomes of those before. */
async function hold(client: Client, rate: number, milliseconds: number, report: () => void) {
  const start = performance.now();
  let reported = start;
  for (;;) {
    const now = performance.now();
    if (now - start >= milliseconds) return;
    const due = ((now - start) * rate) / 1000;
    while (client.sent < due) void client.send();
    if (now - reported >= REPORT_MILLISECONDS) {
      reported = now;
      report();
    }
    await sleep(TICK_MILLISECONDS);
  }
}

function describe({ processes, mebibytes, descriptors, threads, machines }: Resources): string {
  return (
    `${processes} processes, ${mebibytes.toFixed(0)} MiB, ${descriptors} descriptors, ` +
    `${threads} threads, ${machines} machines`
  );
}

/** What is left that was not there before. */
function leaksOf(before: Resources, after: Resources): string[] {
  const grown = (of: keyof Resources, most: number) =>
    after[of] - before[of] > most ? [`${of}: ${before[of]} before, ${after[of]} after`] : [];
  return [
    ...grown('mebibytes', MOST_GROWN_MEBIBYTES),
    ...grown('descriptors', MOST_GROWN),
    ...grown('machines', MOST_GROWN),
    ...grown('processes', 0),
  ];
}

async function main(): Promise<number> {
  const minutes = Number(options.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes takes a number above 0, not ${options.minutes}`);
  const note = (text: string) => process.stderr.write(`${text}\n`);
  const { child, origin } = await startServer();
  try {
    const processId = child.pid as number;
    const rate = await sustainable(origin);
    note(`sustains ${rate.toFixed(0)} requests/s of the mix; sending twice as many`);
    const warmUp = new Client(origin);
    await hold(warmUp, 2 * rate, WARM_UP_MILLISECONDS, () => {});
    while (warmUp.underWay > 0) await sleep(TICK_MILLISECONDS);
    warmUp.close();
    await sleep(SETTLE_MILLISECONDS);
    const before = resourcesOf(processId);
    note(`before: ${describe(before)}`);
    const client = new Client(origin);
    await hold(client, 2 * rate, minutes * 60_000, () =>
      note(
        `${client.served} served, ${client.refused.get('OVERLOADED') ?? 0} refused, ` +
          `${client.lost} lost; ${describe(resourcesOf(processId))}`,
      ),
    );
    while (client.underWay > 0) await sleep(TICK_MILLISECONDS);
    client.close();
    await sleep(SETTLE_MILLISECONDS);
    const after = resourcesOf(processId);
    note(`after: ${describe(after)}`);
    const leaks = leaksOf(before, after);
    const { sent, served, lost, longestQueue } = client;
    const refused = client.refused.get('OVERLOADED') ?? 0;
    const wrong = Object.fromEntries(client.wrong);
    const isGood = lost === 0 && leaks.length === 0 && sent === served + refused;
    const result = { minutes, rate, sent, served, refused, lost, wrong, longestQueue, leaks };
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ ...result, before, after, isGood })}\n`
        : `${sent} sent: ${served} served, ${refused} refused with 503, ${lost} lost ` +
            `${lost > 0 ? JSON.stringify(wrong) : ''}\n` +
            `longest wait in the queue: ${longestQueue.toFixed(0)} ms\n` +
            `${leaks.length === 0 ? 'nothing is left behind' : leaks.join('\n')}\n`,
    );
    return isGood ? 0 : 1;
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }
}

if (options.help) {
  process.stdout.write(HELP);
} else {
  process.exitCode = await main();
}
