/**
 * How fast does a module compute in a virtual machine: as the same C source compiled for Linux, and as
 * Node's own WebAssembly?
 */
import { execFile } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type DeployedFunction, Fabric, timelineOf } from '../../src/index.js';
import { ROOT } from '../harness/folders.js';
import { compileProgram } from '../harness/programs.js';
import { atLeast, atMost, type Row } from '../harness/report.js';
import { alternate, type Turn } from '../harness/rounds.js';
import { median } from '../harness/statistics.js';
import { buildModuleImage, compileModule } from '../harness/webassembly.js';
import type { Question } from '../question.js';

const WORKS = ['sha256', 'mandelbrot', 'json'] as const;
type Work = (typeof WORKS)[number];

const TITLES: Readonly<Record<Work, string>> = {
  sha256: 'SHA-256 of 1 MiB',
  mandelbrot: 'Mandelbrot set, 256 × 256',
  json: 'JSON parser, 0.5 MiB',
};

const ROUNDS = 11;
/** Calls of a round. Node's optimising compiler has long replaced the code when the second half begins. */
const CALLS = 40;
const NATIVE_SHARE = 0.8;
const NODE_TIMES = 1.3;
const NODE_PROGRAM = `${ROOT}dist/bench/processes/node-webassembly.js`;
/** What a rewind takes, amply, so that none is in the figure of the next request. */
const PAUSE_MILLISECONDS = 1;

const execute = promisify(execFile);

export const webassembly: Question = {
  name: 'webassembly',
  async run(progress) {
    const module = compileModule('compute');
    const image = buildModuleImage(module);
    const native = compileProgram('compute');
    const rows: Row[] = [];
    await using fabric = await Fabric.open();
    for (const work of WORKS) {
      rows.push(...(await compare({ work, fabric, image, module, native }, progress)));
    }
    return rows;
  },
};

interface Sides {
  readonly work: Work;
  readonly fabric: Fabric;
  readonly image: string;
  readonly module: string;
  readonly native: string;
}

async function compare(
  { work, fabric, image, module, native }: Sides,
  progress: (text: string) => void,
): Promise<Row[]> {
  const expected = (await printed(native, [work, '1'])).results[0];
  const node = [NODE_PROGRAM, module, work];
  const fn = await fabric.deploy({ name: work, image });
  const turn =
    (command: string, args: readonly string[]): Turn =>
    async () => {
      const { results, durations } = await printed(command, args);
      checkAll(work, results, expected);
      return durations;
    };
  const phases: number[][] = [];
  const samples = await alternate(
    ROUNDS,
    {
      native: turn(native, [work, `${CALLS}`]),
      guest: async () => {
        const durations = await fetchInTurn(fn, work, expected);
        phases.push(durations.map(({ guest }) => guest));
        return durations.map(({ whole }) => whole);
      },
      node: turn(process.execPath, [...node, `${CALLS}`]),
      cold: () => coldStart(fabric, image, work, expected),
    },
    (done, of) => progress(`${work}: round ${done + 1} of ${of}`),
  );
  await fn.remove();
  const warm = (rounds: number[][]) => rounds.map((round) => median(round.slice(CALLS / 2)));
  const [guest, natively, inNode] = [samples.guest, samples.native, samples.node].map(warm) as [
    number[],
    number[],
    number[],
  ];
  // The first round is thrown away, as the others' are.
  const computing = warm(phases.slice(1));
  const share = medianRatio(natively, computing);
  const times = medianRatio(guest, inNode);
  const first = samples.node.map((round) => round[0] ?? 0);
  const firstTimes = medianRatio(samples.cold.flat(), first);
  return [
    {
      question: 'webassembly',
      figure: `${TITLES[work]}, in the guest`,
      value: median(computing),
      unit: 'ms',
      baseline: { name: 'the same C, gcc -O2, on Linux', value: median(natively) },
      ratio: share,
      target: atLeast(share, NATIVE_SHARE, `at least ${NATIVE_SHARE} of native speed`),
      note: 'the phase `guest` of a request; the ratio is native time divided by it, so 1 is as fast',
    },
    {
      question: 'webassembly',
      figure: '  the whole request, warm',
      value: median(guest),
      unit: 'ms',
      baseline: { name: 'Node, warm', value: median(inNode) },
      ratio: times,
      target: atMost(times, NODE_TIMES, `at most ${NODE_TIMES} of Node`),
    },
    {
      question: 'webassembly',
      figure: '  deployment and first request',
      value: median(samples.cold.flat()),
      unit: 'ms',
      baseline: { name: 'Node, first call', value: median(first) },
      ratio: firstTimes,
      target: atMost(firstTimes, 1, 'ahead of Node'),
      note: 'from reading the image, or the module, to the result; without the start of the process',
    },
  ];
}

/** Runs a program that prints a line for each call; durations in milliseconds. */
async function printed(command: string, args: readonly string[]) {
  const { stdout } = await execute(command, args);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
  return {
    results: lines.map(([result]) => result),
    durations: lines.map(([, nanoseconds = 0]) => nanoseconds / 1e6),
  };
}

function checkAll(work: Work, results: readonly unknown[], expected: unknown): void {
  const wrong = results.find((result) => result !== expected);
  if (wrong !== undefined) throw new Error(`${work} gave ${wrong} instead of ${expected}`);
}

/** Milliseconds of a request. */
interface Durations {
  readonly whole: number;
  /** In the virtual machine. */
  readonly guest: number;
}

async function fetchInTurn(
  fn: DeployedFunction,
  work: Work,
  expected: unknown,
): Promise<Durations[]> {
  const durations: Durations[] = [];
  for (let call = 0; call < CALLS; call++) {
    const start = performance.now();
    const response = await fn.fetch(`http://bench/${work}`);
    const text = await response.text();
    const end = performance.now();
    checkAll(work, [Number(text)], expected);
    durations.push({ whole: end - start, guest: timelineOf(response)?.guest ?? Number.NaN });
    while (performance.now() < end + PAUSE_MILLISECONDS) await nextTurn();
  }
  return durations;
}

async function coldStart(
  fabric: Fabric,
  image: string,
  work: Work,
  expected: unknown,
): Promise<number[]> {
  const start = performance.now();
  const fn = await fabric.deploy({ name: `cold-${work}`, image });
  const response = await fn.fetch(`http://bench/${work}`);
  checkAll(work, [Number(await response.text())], expected);
  const duration = performance.now() - start;
  await fn.remove();
  return [duration];
}

/** The median over the rounds of the ratio of two rounds, each given by its median. */
function medianRatio(subject: readonly number[], baseline: readonly number[]): number {
  return median(subject.map((value, index) => value / (baseline[index] ?? Number.NaN)));
}
