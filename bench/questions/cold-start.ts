/** How long from a bundle on disk to the first response, and which part takes how much? */
import { mkdirSync, writeFileSync } from 'node:fs';
import { bundle } from '../../src/image/bundle.js';
import { type DeployedFunction, Fabric } from '../../src/index.js';
import { BUILD, SOURCES } from '../harness/folders.js';
import { atMost, type Row } from '../harness/report.js';
import { median } from '../harness/statistics.js';
import type { Question } from '../question.js';
import { check, url } from '../requests.js';
import { deploy } from '../subject.js';

const STARTS = 40;
/** Each in a fabric of its own. */
const FIRST_STARTS = 20;
const LIMIT_MILLISECONDS = 15;
const PHASES = ['load', 'create', 'boot', 'init'] as const;

/** Milliseconds of one cold start. */
interface Start {
  /** From the call of `deploy` to the first response, without bundling. */
  readonly total: number;
  readonly bundling: number;
  readonly phases: DeployedFunction['coldStart'];
  /** The first request. */
  readonly first: number;
}

export const coldStart: Question = {
  name: 'cold-start',
  async run(progress) {
    const file = await writeBundle();
    await using subject = await deploy('hello', 'reset');
    const starts: Start[] = [];
    progress(`${STARTS} starts`);
    for (let number = -1; number < STARTS; number++) {
      const start = await startOnce(subject.fabric, file, Math.max(0, number));
      if (number >= 0) starts.push(start);
    }
    progress(`${FIRST_STARTS} starts of the first function of a fabric`);
    const firsts: Start[] = [];
    for (let number = 0; number < FIRST_STARTS; number++) {
      await using fabric = await Fabric.open();
      firsts.push(await startOnce(fabric, file, number));
    }
    return [...rows(starts), firstRow(firsts)];
  },
};

/** The function as it lies on a disk when it was bundled before. */
async function writeBundle(): Promise<string> {
  const { code } = await bundle('hello', { file: `${SOURCES}functions/hello.ts` });
  const file = `${BUILD}hello.bundle.js`;
  mkdirSync(BUILD, { recursive: true });
  writeFileSync(file, code);
  return file;
}

async function startOnce(fabric: Fabric, file: string, number: number): Promise<Start> {
  const start = performance.now();
  const fn = await fabric.deploy({ name: `cold-${number}`, file });
  const deployed = performance.now();
  const response = await fn.fetch(url(number));
  const end = performance.now();
  check(number, await response.text(), fn.name);
  const bundling = fn.bundleMilliseconds ?? 0;
  const result: Start = {
    total: end - start - bundling,
    bundling,
    phases: fn.coldStart,
    first: end - deployed,
  };
  await fn.remove();
  return result;
}

/** Where the image has not started in this fabric before. */
function firstRow(starts: readonly Start[]): Row {
  const value = median(starts.map(({ total }) => total));
  return {
    question: 'cold-start',
    figure: 'the same for the first function of its image in a fabric',
    value,
    unit: 'ms',
    note: 'the image is read and checked then, and starts once, up to the configuration of its functions, which go on from there',
  };
}

function rows(starts: readonly Start[]): Row[] {
  const of = (value: (start: Start) => number) => median(starts.map(value));
  const row = (figure: string, value: number): Row => ({
    question: 'cold-start',
    figure,
    value,
    unit: 'ms',
  });
  const total = of((start) => start.total);
  return [
    {
      ...row('bundle on disk to first response, p50', total),
      target: atMost(total, LIMIT_MILLISECONDS, `below ${LIMIT_MILLISECONDS} ms`),
      note: 'in a warm process that has started another function of the image; esbuild runs on the bundle again, and is apart',
    },
    ...PHASES.map((phase) =>
      row(
        `  ${phase}`,
        of((start) => start.phases[phase] ?? 0),
      ),
    ),
    row(
      '  first request',
      of((start) => start.first),
    ),
    row(
      'esbuild, not counted above',
      of((start) => start.bundling),
    ),
  ];
}
