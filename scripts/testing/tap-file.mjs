// Runs one test file (a TAP producer) as a process of its own and reads its results.
import { spawn } from 'node:child_process';
import { Parser } from 'tap-parser';
import { ROOT } from '../steps/root.mjs';

/** Milliseconds that one file may take; the file itself is told a little less. */
const FILE_MILLISECONDS = 240_000;
const STDERR_BYTES = 16_384;

/**
 * @typedef {object} FileResult
 * @property {string} file
 * @property {number} passed test points
 * @property {{name: string, detail: string}[]} failures
 * @property {{name: string, reason: string}[]} skips
 * @property {number} milliseconds
 * @property {string} stderr the end of what it wrote there
 */

/**
 * Never rejects: whatever goes wrong with the file is a failure of it.
 *
 * @param {string} file absolute path of the compiled test
 * @param {Record<string, string>} env added to the environment
 * @returns {Promise<FileResult>}
 */
export async function runTapFile(file, env) {
  const start = performance.now();
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: ROOT,
    env: {
      ...process.env,
      TAP: '1',
      TAP_TIMEOUT: String(FILE_MILLISECONDS / 1000 - 10),
      NO_COLOR: '1',
      FORCE_COLOR: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-STDERR_BYTES);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), FILE_MILLISECONDS);
  const parser = new Parser();
  child.stdout.pipe(parser);
  const [ending, results] = await Promise.all([
    new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(code === 0 ? '' : endingOf(code, signal)));
    }),
    new Promise((resolve) => parser.once('complete', resolve)),
  ]);
  clearTimeout(timer);
  return {
    file,
    passed: results.counts.pass,
    failures: failuresOf(results, ending),
    skips: skipsOf(results),
    milliseconds: performance.now() - start,
    stderr,
  };
}

function endingOf(code, signal) {
  return signal ? `the file was ended by ${signal}` : `the file ended with code ${code}`;
}

function failuresOf(results, ending) {
  const failures = results.lists.fail.map((point) => ({
    name: point.fullname || point.name,
    detail: detailOf(point.diag),
  }));
  if (failures.length > 0) return failures;
  if (ending) return [{ name: 'process', detail: ending }];
  if (results.bailout) return [{ name: 'bail out', detail: String(results.bailout) }];
  if (!results.ok) return [{ name: 'TAP', detail: 'the results are not well-formed' }];
  if (results.counts.total === 0 && !results.plan.skipAll) {
    return [{ name: 'empty', detail: 'the file tests nothing' }];
  }
  return [];
}

function skipsOf(results) {
  const skips = results.lists.skip.map((point) => ({
    name: point.fullname || point.name,
    reason: point.skip === true ? 'no reason given' : point.skip,
  }));
  if (!results.plan.skipAll) return skips;
  return [{ name: 'the whole file', reason: results.plan.skipReason || 'no reason given' }];
}

/** What of a failed test point helps: the difference, the place, the stack. */
function detailOf(diag) {
  if (!diag) return '';
  const { at, diff, found, wanted, message, error, stack } = diag;
  const parts = [
    message ?? error?.message,
    diff,
    diff === undefined && wanted !== undefined && `wanted: ${JSON.stringify(wanted)}`,
    diff === undefined && found !== undefined && `found: ${JSON.stringify(found)}`,
    at && `at ${at.fileName}:${at.lineNumber}:${at.columnNumber}`,
    stack,
  ];
  return parts.filter(Boolean).join('\n').trimEnd();
}
