/** How much memory does an idle server take, and how much and how long each parked instance? */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from '../harness/folders.js';
import { proportionalMebibytesOfAll } from '../harness/memory.js';
import { atMost, type Row } from '../harness/report.js';
import { startHatchery } from '../harness/server.js';
import { median } from '../harness/statistics.js';
import type { Parked, Turn } from '../processes/parked.js';
import type { Question } from '../question.js';

const SETTLE_MILLISECONDS = 2000;
const IDLE_MEBIBYTES = 120;
const INSTANCES = 1000;
const INSTANCE_MEBIBYTES = 2;
const SLOWDOWN = 1.5;
/** The last so many creations stand for the 1,000th. */
const LAST = 20;
const PARKING_MILLISECONDS = 90_000;

const execute = promisify(execFile);

export const memory: Question = {
  name: 'memory',
  async run(progress) {
    return [await idleServer(progress), ...(await parkedInstances(progress))];
  },
};

async function idleServer(progress: (text: string) => void): Promise<Row> {
  progress('an idle server with one function');
  const server = await startHatchery();
  try {
    await sleep(SETTLE_MILLISECONDS);
    const resident = proportionalMebibytesOfAll(server.processId);
    return {
      question: 'memory',
      figure: 'idle server with one function, resident',
      value: resident,
      unit: 'MiB',
      target: atMost(resident, IDLE_MEBIBYTES, `below ${IDLE_MEBIBYTES} MiB`),
      note: 'proportional set size of the supervisor and its workers, with all defaults, 2 s after they have answered 51 requests',
    };
  } finally {
    await server.stop();
  }
}

async function parkedInstances(progress: (text: string) => void): Promise<Row[]> {
  progress(`${INSTANCES} parked instances`);
  const { stdout } = await execute(
    process.execPath,
    [`${ROOT}dist/bench/processes/parked.js`, String(INSTANCES)],
    { timeout: PARKING_MILLISECONDS, maxBuffer: 1 << 24 },
  );
  const parked: Parked = JSON.parse(stdout);
  const rounds = parked.rounds.map(speedOf);
  const middle = (figure: keyof Speed) => median(rounds.map((round) => round[figure]));
  const growth = middle('growth');
  const first = speedOf(parked.first);
  const cost = Math.max(parked.proportionalMebibytes, parked.machineMebibytes);
  return [
    {
      question: 'memory',
      figure: 'each more parked instance',
      value: cost,
      unit: 'MiB',
      target: atMost(cost, INSTANCE_MEBIBYTES, `below ${INSTANCE_MEBIBYTES} MiB`),
      note: `the larger of two, each instance has answered a request: proportional set size ${parked.proportionalMebibytes.toFixed(2)} MiB, taken from the machine's available memory ${parked.machineMebibytes.toFixed(2)} MiB`,
    },
    {
      question: 'memory',
      figure: 'creating the 1,000th parked instance',
      value: middle('last'),
      unit: 'µs',
      baseline: { name: 'the 10th', value: middle('tenth') },
      ratio: growth,
      target: atMost(growth, SLOWDOWN, `at most ${SLOWDOWN} times the 10th`),
      note: `fn.spawn(): the median of the last ${LAST} of 1,000; of 20 with nothing else parked. ${rounds.length} rounds of both, in memory that the round before has given back, after the first time`,
    },
    {
      question: 'memory',
      figure: 'the same, the first time in a process',
      value: first.last,
      unit: 'µs',
      baseline: { name: 'the 10th', value: first.tenth },
      ratio: first.growth,
      note: 'once: the 20 in memory that was in use before, the 1,000 in free memory as the machine has it. Where an outer host has taken that back, each page costs a fault there',
    },
  ];
}

/** Microseconds. */
interface Speed {
  readonly tenth: number;
  readonly last: number;
  readonly growth: number;
}

function speedOf({ few, many }: Turn): Speed {
  const tenth = median(few) * 1000;
  const last = median(many.slice(-LAST)) * 1000;
  return { tenth, last, growth: last / tenth };
}
