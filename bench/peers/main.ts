/**
 * `npm run bench:peers`: the same request against what people use to keep two requests apart. Writes
 * the table between the README's markers and the chart docs/images/peers.svg.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ROOT } from '../harness/folders.js';
import { describeMachine, formatMachine } from '../harness/machine.js';
import { alternate } from '../harness/rounds.js';
import { ratio, summarize } from '../harness/statistics.js';
import { chart } from './chart.js';
import { crun, runc } from './containers.js';
import { hatcheryClone, hatcheryReset } from './hatchery.js';
import { isolatedVm } from './isolated-vm.js';
import { Absent, type OpenPeer, type Peer } from './peer.js';
import { bubblewrap, nodeEval, posixSpawn } from './processes.js';
import { quickJs } from './quickjs-emscripten.js';
import { LEGEND, markdownTable, replaceBetweenMarkers } from './readme.js';
import type { PeerResult } from './result.js';
import { workerThreads } from './worker-threads.js';

const OWN: readonly Peer[] = [hatcheryReset, hatcheryClone];
const OTHERS: readonly Peer[] = [
  posixSpawn,
  quickJs,
  isolatedVm,
  bubblewrap,
  workerThreads,
  crun,
  runc,
  nodeEval,
];
const ROUNDS = 20;
const README = `${ROOT}README.md`;
const IMAGES = `${ROOT}docs/images/`;

const HELP = `Usage: npm run bench:peers -- [options]

  --rounds N    turns that each peer takes (default ${ROUNDS})
  --json FILE   write what was measured as JSON
  --dry-run     leave the README and docs/images/peers.svg as they are
  --help        this text
`;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(ROUNDS) },
    json: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Runner extends OpenPeer {
  readonly peer: Peer;
}

async function openAll(peers: readonly Peer[]): Promise<Runner[]> {
  const runners: Runner[] = [];
  for (const peer of peers) {
    say(`preparing ${peer.name}`);
    try {
      runners.push({ peer, ...(await peer.open()) });
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      say(`skipped ${peer.name}: ${error.message}`);
    }
  }
  return runners;
}

async function compare(runners: readonly Runner[], rounds: number): Promise<PeerResult[]> {
  const lives: Record<string, number[][]> = {};
  const responses = await alternate(
    rounds,
    Object.fromEntries(
      runners.map(({ peer, answer }) => [
        peer.name,
        async (round: number) => {
          const { response, life } = await answer(peer.count, round * peer.count);
          lives[peer.name] = [...(lives[peer.name] ?? []), life];
          return response;
        },
      ]),
    ),
    (done, of) => say(`round ${done + 1} of ${of}`),
  );
  const reference = responses[runners[0]?.peer.name ?? ''] ?? [];
  return runners.map(({ peer, version }) => ({
    name: peer.name,
    version,
    wall: peer.wall,
    own: OWN.includes(peer),
    response: summarize(responses[peer.name] ?? []),
    life: summarize((lives[peer.name] ?? []).slice(1)),
    times: ratio(responses[peer.name] ?? [], reference),
  }));
}

function publish(table: string, machine: string, results: readonly PeerResult[]): void {
  mkdirSync(IMAGES, { recursive: true });
  writeFileSync(`${IMAGES}peers.svg`, chart(results));
  const text = `${table}\n\n${LEGEND} Measured on ${machine}.`;
  writeFileSync(README, replaceBetweenMarkers(readFileSync(README, 'utf8'), text));
}

async function main(): Promise<void> {
  const machine = describeMachine();
  const runners = await openAll([...OWN, ...OTHERS]);
  const results = await compare(runners, Number(options.rounds));
  for (const runner of runners) await runner.close?.();
  const table = markdownTable(results);
  process.stdout.write(`${table}\n\n${formatMachine(machine)}\n`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
  }
  if (!options['dry-run']) publish(table, formatMachine(machine), results);
}

if (options.help) process.stdout.write(HELP);
else await main();
