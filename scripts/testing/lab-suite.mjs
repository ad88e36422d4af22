// Runs test files in the lab. Two labs side by side: in each, either Dom0 or a guest runs most of the time.
import path from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { Parser } from 'tap-parser';
import { labPackagesStep } from '../lab/packages.mjs';
import { prepareLab, runInLab } from '../lab/run.mjs';
import { sanitizedLab } from '../lab/sanitizers.mjs';
import { at, ROOT } from '../steps/root.mjs';
import { StepFailure } from '../steps/step.mjs';
import { collectPoints, resultOf } from './tap-file.mjs';

const LABS = 2;

/** Seconds that all files together, and that one of them may take: emulation is slow on a busy machine. */
const ALL_SECONDS = 1500;
const FILE_SECONDS = 160;
/** Without a sign of life, of which run-tests.mjs gives one every 5 s. */
const SILENCE_SECONDS = 90;
/** A file at which machines stood still this often has failed. */
const STALLS = 2;
/** By how much sanitizers make all of it slower. */
const SANITIZED_SLOWDOWN = 3;
const STDERR_BYTES = 16_384;

const ENVIRONMENT = {
  // PVH domains, or with `xen-pv` PV domains.
  HATCHERY_TEST_DRIVER: process.env.HATCHERY_TEST_DRIVER ?? 'xen',
  TAP: '1',
  TAP_TIMEOUT: String(FILE_SECONDS),
  NO_COLOR: '1',
};

/**
 * Why there is no lab here, undefined where there is one. It has been set up as far as possible.
 *
 * @returns {Promise<string | undefined>}
 */
export async function labMissing() {
  try {
    if (!(await labPackagesStep.isCurrent())) await labPackagesStep.run();
    return undefined;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return [error.message, error.remedy].filter(Boolean).join('; ');
  }
}

/**
 * Runs the files. Whatever goes wrong with a machine is a failure of each file that it cost.
 *
 * @param {string[]} files compiled test files, absolute
 * @param {(result: import('./tap-file.mjs').FileResult) => void} onResult called for each file
 * @param {{sanitized?: boolean}} [options] `sanitized`: with the addons that were built with sanitizers
 */
export async function runLabSuite(files, onResult, { sanitized = false } = {}) {
  const names = files.map((file) => path.relative(ROOT, file));
  const parts = Array.from({ length: LABS }, (_, lab) =>
    names.filter((_name, index) => index % LABS === lab),
  );
  // Made once; the second lab finds it.
  await prepareLab();
  await Promise.all(
    parts
      .filter((part) => part.length > 0)
      .map((part, lab) => runPart(part, { name: `lab ${lab + 1}`, sanitized }, onResult)),
  );
}

/**
 * The files of one lab. An emulated machine has been seen to stand still, Dom0's kernel and all: the file
 * that ran then runs once more in a new machine, with those that were to come. That is said aloud, and the
 * file fails if the second machine stands still, too.
 */
async function runPart(names, lab, onResult) {
  const waiting = new Set(names);
  const stalls = new Map();
  while (waiting.size > 0) {
    const { run, ending, stalled } = await runMachineWith(waiting, lab, onResult);
    const name = run?.name ?? [...waiting][0];
    if (name === undefined) return;
    stalls.set(name, (stalls.get(name) ?? 0) + 1);
    if (stalled && stalls.get(name) < STALLS) {
      process.stderr.write(`${lab.name}: ${ending}. ${name} runs again, in a new machine.\n`);
      continue;
    }
    if (run !== undefined) {
      waiting.delete(name);
      onResult(await run.finish(ending || 'the file did not end'));
    }
    // A machine that stood still at one file may do for the others.
    if (stalled && run !== undefined) continue;
    for (const lost of waiting) {
      onResult(await new FileRun(lost).finish(ending || 'the file was not run'));
    }
    return;
  }
}

/**
 * Runs the files that wait, in one machine, and takes those that ended out of them.
 *
 * @returns {Promise<{run?: FileRun, ending: string, stalled: boolean}>} `run`: the file that ran last and
 *   did not end
 */
async function runMachineWith(waiting, lab, onResult) {
  const reports = [];
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let run;
  stderr.on('data', (chunk) => run?.wrote(chunk));
  // As run-tests.mjs has it in the lab.
  const read = (async () => {
    for await (const line of createInterface({ input: stdout, crlfDelay: Infinity })) {
      if (line.startsWith('@file ')) {
        run = new FileRun(line.slice('@file '.length));
      } else if (line.startsWith('@end ') && run !== undefined) {
        waiting.delete(run.name);
        reports.push(run.finish(line.slice('@end '.length)).then(onResult));
        run = undefined;
      } else if (line !== '@alive') {
        run?.parser.write(`${line}\n`);
      }
    }
  })();
  const outcome = await runProcesses([...waiting], lab, stdout, stderr);
  stdout.end();
  await read;
  await Promise.all(reports);
  return { run, ...outcome };
}

/** One file's way through the lab. */
class FileRun {
  parser = new Parser();
  #start = performance.now();
  #points = collectPoints(this.parser);
  #complete = new Promise((resolve) => this.parser.once('complete', resolve));
  #stderr = '';

  constructor(name) {
    this.name = name;
  }

  wrote(chunk) {
    this.#stderr = (this.#stderr + chunk).slice(-STDERR_BYTES);
  }

  async finish(ending) {
    const milliseconds = performance.now() - this.#start;
    this.parser.end();
    const results = await this.#complete;
    return resultOf(at(this.name), this.#points, results, {
      ending,
      milliseconds,
      stderr: this.#stderr,
    });
  }
}

/** `ending`: how the machine ended, when that was not as it should be; else empty. */
async function runProcesses(files, { name, sanitized }, stdout, stderr) {
  const added = sanitized ? sanitizedLab() : {};
  const seconds = ALL_SECONDS * (sanitized ? SANITIZED_SLOWDOWN : 1);
  try {
    const outcome = await runInLab({
      command: ['node', 'run-tests.mjs', ...files],
      environment: { ...ENVIRONMENT, ...added.environment },
      include: added.include,
      timeout: seconds,
      silence: SILENCE_SECONDS,
      stdout,
      stderr,
      note: (text) => process.stderr.write(`${name}: ${text}\n`),
    });
    // Failed tests say so themselves.
    const isWell = outcome.code === 0 || outcome.code === 1;
    return { ending: isWell ? '' : endingOf(outcome, seconds), stalled: outcome.stalled };
  } catch (error) {
    return { ending: `the lab did not start: ${error.message}`, stalled: false };
  }
}

function endingOf({ code, console: consoleFile, stalled, timedOut }, seconds) {
  const what = stalled
    ? `the lab STOOD STILL for ${SILENCE_SECONDS} s`
    : timedOut
      ? `the lab was not done after ${seconds} s`
      : `the lab ended with code ${code}`;
  return `${what}; its console is in ${consoleFile}`;
}
