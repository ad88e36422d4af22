/**
 * `npm run bench:xen`, in the lab's Dom0: what domains cost through the driver, each figure as a share of
 * what `xl create` takes for the same image with the same memory.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openDriver } from '../../src/drivers/detect.js';
import type { Driver, Shell, Snapshot } from '../../src/drivers/driver.js';
import { Fabric } from '../../src/index.js';
import { atLeast, atMost, formatTable, missed, type Row, type Unit } from '../harness/report.js';
import { median } from '../harness/statistics.js';
import {
  captureReady,
  cloneTime,
  lifeTime,
  loadCold,
  pooledTime,
  resetTimes,
  spawnTime,
  spawnTimeWithNames,
} from './lives.js';
import { settle } from './settle.js';
import { measureToolstack, type Toolstack } from './toolstack.js';

const IMAGE = fileURLToPath(new URL('../../images/hello.elf', import.meta.url));
const FUNCTION = fileURLToPath(new URL('../functions/hello.js', import.meta.url));
const MEBIBYTES = 8;
const ROUNDS = 25;
/** Domains in a row, until all of them have their names. */
const NAMED = 20;
const NAMED_ROUNDS = 5;
const RESETS = 200;
const LIVES = 40;
const CROWD = 200;
/** How many of the crowd the figure of the 10th and of the 200th is the median of. */
const NEIGHBOURS = 5;
/** Shells that are kept ready, where they are. */
const AHEAD = 2;

const progress = (text: string) => process.stderr.write(`bench:xen: ${text}\n`);

async function repeat(count: number, measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  // The first is a warm-up.
  for (let round = 0; round <= count; round++) times.push(await measure());
  return times.slice(1);
}

async function spawnAndDestroy(cold: Snapshot): Promise<number> {
  const { milliseconds, shell } = await spawnTime(cold);
  await shell.destroy();
  await settle();
  return milliseconds;
}

interface Figure {
  readonly question: string;
  readonly figure: string;
  readonly milliseconds: number;
  /** The target: `xl create` takes at least so many times as long. */
  readonly times?: number;
  /** What programs in C that do this and nothing else take of `xl create`; as FINDINGS has it. */
  readonly shareInC?: number;
}

function rowOf({ create }: Toolstack, given: Figure): Row {
  const { question, figure, milliseconds, times, shareInC } = given;
  const unit: Unit = milliseconds < 1 ? 'µs' : 'ms';
  const scaled = (value: number) => (unit === 'µs' ? value * 1000 : value);
  const ratio = milliseconds / create;
  return {
    question,
    figure,
    value: scaled(milliseconds),
    unit,
    baseline: { name: 'xl create', value: scaled(create) },
    ratio,
    ...(times === undefined ? {} : { target: atMost(ratio, 1 / times, `at most 1/${times}`) }),
    ...(shareInC === undefined
      ? {}
      : { note: `a program in C that does only this: ${shareInC} of xl create` }),
  };
}

async function spawning(driver: Driver, toolstack: Toolstack): Promise<Row[]> {
  const prepared = await loadCold(driver, IMAGE, { mebibytes: MEBIBYTES, shellsAhead: AHEAD });
  await settle();
  const fromShell = median(await repeat(ROUNDS, () => spawnAndDestroy(prepared)));
  prepared.close();
  await settle();
  const bare = await loadCold(driver, IMAGE, { mebibytes: MEBIBYTES });
  const fromNothing = median(await repeat(NAMED_ROUNDS, () => spawnTimeWithNames(bare, NAMED)));
  const pooled = median(await repeat(ROUNDS, () => pooledTime(bare)));
  bare.close();
  const row = (figure: Figure) => rowOf(toolstack, figure);
  return [
    row({
      question: 'spawn',
      figure: 'from a ready shell, to the first instruction',
      milliseconds: fromShell,
      times: 30,
      shareInC: 0.02,
    }),
    row({
      question: 'spawn',
      figure: 'with nothing prepared, xenstore entry included',
      milliseconds: fromNothing,
      times: 7,
      shareInC: 0.14,
    }),
    row({
      question: 'pool',
      figure: 'request to response',
      milliseconds: pooled,
      times: 100,
      shareInC: 0.001,
    }),
  ];
}

async function cloning(driver: Driver, toolstack: Toolstack): Promise<Row[]> {
  const cold = await loadCold(driver, IMAGE, { mebibytes: MEBIBYTES, shellsAhead: AHEAD });
  const ready = await captureReady(cold);
  const cloned = median(await repeat(ROUNDS, () => cloneTime(ready)));
  const reset = median(await resetTimes(ready, RESETS));
  const life = await lifeTime(ready, LIVES);
  ready.close();
  cold.close();
  await settle();
  const both = toolstack.create + toolstack.destroy;
  return [
    rowOf(toolstack, {
      question: 'clone',
      figure: 'into a ready shell, to its response',
      milliseconds: cloned,
      times: 100,
      shareInC: 0.0044,
    }),
    rowOf(toolstack, {
      question: 'reset',
      figure: 'rewind and response, C',
      milliseconds: reset,
      times: 200,
      shareInC: 0.0022,
    }),
    {
      question: 'lives',
      figure: 'spawn, serve, destroy, sustained',
      value: life,
      unit: 'ms',
      baseline: { name: 'xl create; xl destroy', value: both },
      ratio: life / both,
      target: atLeast(both / life, 10, 'at least 10 times the rate'),
    },
  ];
}

async function crowd(driver: Driver): Promise<Row[]> {
  const cold = await loadCold(driver, IMAGE, { mebibytes: MEBIBYTES });
  const shells: Shell[] = [];
  const times: number[] = [];
  while (shells.length < CROWD) {
    const { milliseconds, shell } = await spawnTime(cold);
    times.push(milliseconds);
    shells.push(shell);
    await settle();
  }
  await Promise.all(shells.map((shell) => shell.destroy()));
  cold.close();
  await settle();
  const around = (last: number) => median(times.slice(last - NEIGHBOURS, last));
  const [early, late] = [around(10 + Math.floor(NEIGHBOURS / 2)), around(CROWD)];
  return [
    {
      question: 'crowd',
      figure: `domain ${CROWD} alive`,
      value: late,
      unit: 'ms',
      baseline: { name: 'domain 10', value: early },
      ratio: late / early,
      target: atMost(late / early, 1.3, 'at most 1.3'),
    },
  ];
}

/** The JavaScript image, through the fabric: requests without a pause, so that rewinds are in it. */
async function javascript(toolstack: Toolstack): Promise<Row[]> {
  const fabric = await Fabric.open({ driver: 'xen' });
  try {
    const fn = await fabric.deploy({ name: 'hello', file: FUNCTION, strategy: 'reset' });
    const times = await repeat(RESETS, async () => {
      const start = performance.now();
      await fn.request({ url: 'http://bench.test/hello?name=xen' });
      return performance.now() - start;
    });
    const milliseconds = times.reduce((sum, time) => sum + time, 0) / times.length;
    const figure = 'a request in a row of them, JavaScript';
    return [rowOf(toolstack, { question: 'reset', figure, milliseconds })];
  } finally {
    await fabric.close();
  }
}

type Measurement = (driver: Driver, toolstack: Toolstack) => Promise<Row[]>;

const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  spawning,
  cloning,
  crowd,
  javascript: (_, toolstack) => javascript(toolstack),
};

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(MEASUREMENTS) },
    check: { type: 'boolean', default: false },
  },
});

/** Those that are asked for, one with a driver of its own after the other: what one leaves does not burden the next. */
async function measureAll(toolstack: Toolstack): Promise<{ rows: Row[]; failures: string[] }> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const name of options.only) {
    const measure = MEASUREMENTS[name];
    if (measure === undefined) {
      throw new Error(`there is no ${name}; there are ${Object.keys(MEASUREMENTS).join(', ')}`);
    }
    progress(name);
    const driver = openDriver('xen', { xenType: 'pvh' });
    try {
      const measured = await measure(driver, toolstack);
      progress(`\n${formatTable(measured)}`);
      rows.push(...measured);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.stack : error}`);
    } finally {
      await driver.close();
    }
  }
  return { rows, failures };
}

async function main(): Promise<void> {
  progress(`xl create and xl destroy, ${MEBIBYTES} MiB`);
  const toolstack = await measureToolstack(IMAGE, MEBIBYTES);
  const { rows, failures } = await measureAll(toolstack);
  console.log(formatTable(rows));
  console.log(`xl destroy: ${toolstack.destroy.toFixed(1)} ms`);
  const count = missed(rows).length;
  if (count > 0) console.log(`${count} of the targets missed`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  if (failures.length > 0 || (options.check && count > 0)) process.exitCode = 1;
}

await main();
