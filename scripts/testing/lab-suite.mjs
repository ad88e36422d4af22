// Runs test files in the lab: one boot of Xen and one process of Node for all of them, since both take
// seconds in emulation.
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { Parser } from 'tap-parser';
import { labPackagesStep } from '../lab/packages.mjs';
import { runInLab } from '../lab/run.mjs';
import { at, ROOT } from '../steps/root.mjs';
import { StepFailure } from '../steps/step.mjs';
import { collectPoints, resultOf } from './tap-file.mjs';

/** Seconds that all files together, and that one of them may take: emulation is slow on a busy machine. */
const ALL_SECONDS = 600;
const FILE_SECONDS = 300;
const STDERR_BYTES = 16_384;

const ENVIRONMENT = {
  HATCHERY_TEST_DRIVER: 'xen',
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
 * Runs the files. Whatever goes wrong with the machine is a failure of each file that it cost.
 *
 * @param {string[]} files compiled test files, absolute
 * @param {(result: import('./tap-file.mjs').FileResult) => void} onResult called for each file
 */
export async function runLabSuite(files, onResult) {
  const waiting = new Set(files.map((file) => path.relative(ROOT, file)));
  const stderr = new PassThrough();
  let written = '';
  stderr.on('data', (chunk) => {
    written = (written + chunk).slice(-STDERR_BYTES);
  });
  let start = performance.now();
  const report = (name, points, results, ending) => {
    waiting.delete(name);
    const milliseconds = performance.now() - start;
    start = performance.now();
    onResult(resultOf(at(name), points, results, { ending, milliseconds, stderr: written }));
  };

  const parser = new Parser();
  parser.on('child', (child) => {
    // The boot is no part of the first file's time.
    if (waiting.size === files.length) start = performance.now();
    const points = collectPoints(child);
    child.on('complete', (results) => report(child.name, points, results, ''));
  });
  const complete = new Promise((resolve) => parser.once('complete', resolve));
  const ending = await runProcess([...waiting], parser, stderr);
  parser.end();
  const results = await complete;
  for (const name of [...waiting]) {
    report(name, collectPoints(new Parser()), results, ending || 'the file was not run');
  }
}

/** How the machine or the process ended, when that was not as it should be; else empty. */
async function runProcess(files, stdout, stderr) {
  try {
    const outcome = await runInLab({
      command: ['node', '--enable-source-maps', 'run-tests.mjs', ...files],
      environment: ENVIRONMENT,
      timeout: ALL_SECONDS,
      stdout,
      stderr,
      note: (text) => process.stderr.write(`lab: ${text}\n`),
    });
    if (outcome.timedOut) return `the lab was not done after ${ALL_SECONDS} s`;
    // Failed tests say so themselves.
    if (outcome.code === 0 || outcome.code === 1) return '';
    return `the lab ended with code ${outcome.code}; its console is in ${outcome.console}`;
  } catch (error) {
    return `the lab did not start: ${error.message}`;
  }
}
