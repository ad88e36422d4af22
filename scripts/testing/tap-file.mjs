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
  const points = collectPoints(parser);
  child.stdout.pipe(parser);
  const [ending, results] = await Promise.all([
    new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(code === 0 ? '' : endingOf(code, signal)));
    }),
    new Promise((resolve) => parser.once('complete', resolve)),
  ]);
  clearTimeout(timer);
  return resultOf(file, points, results, {
    ending,
    milliseconds: performance.now() - start,
    stderr,
  });
}

/**
 * What a file's points come to.
 *
 * @param {string} file
 * @param {ReturnType<typeof collectPoints>} points
 * @param {object} results of the parser, when it is complete
 * @param {{ending: string, milliseconds: number, stderr: string}} process `ending` says how it ended
 *   when that was not as it should be, and is empty otherwise
 * @returns {FileResult}
 */
export function resultOf(file, points, results, { ending, milliseconds, stderr }) {
  const failures = failuresOf(points, results, ending);
  const skips = skipsOf(points, results);
  return { file, passed: points.passed, failures, skips, milliseconds, stderr };
}

function endingOf(code, signal) {
  return signal ? `the file was ended by ${signal}` : `the file ended with code ${code}`;
}

/**
 * Collects the test points of all depths of what a parser reads. The point that closes a subtest says nothing more than its
 * parts, so it counts only where it fails and none of them did.
 */
export function collectPoints(root) {
  const points = { passed: 0, failed: [], skipped: [] };
  const watch = (parser) => {
    let closing;
    parser.on('child', (child) => {
      const before = points.failed.length;
      watch(child);
      child.on('complete', (results) => {
        closing = { before, hasPoints: results.count > 0 };
      });
    });
    parser.on('assert', (point) => {
      const subtest = closing;
      closing = undefined;
      if (point.skip) points.skipped.push(point);
      else if (point.todo) points.skipped.push({ ...point, skip: `to do: ${point.todo}` });
      else if (!point.ok) {
        if (subtest === undefined || points.failed.length === subtest.before) {
          points.failed.push(point);
        }
      } else if (!subtest?.hasPoints) points.passed += 1;
    });
  };
  watch(root);
  return points;
}

function failuresOf(points, results, ending) {
  const failures = points.failed.map((point) => ({
    name: point.fullname || point.name,
    detail: detailOf(point.diag),
  }));
  if (failures.length > 0) return failures;
  if (ending) return [{ name: 'process', detail: ending }];
  if (results.bailout) return [{ name: 'bail out', detail: String(results.bailout) }];
  if (!results.ok) return [{ name: 'TAP', detail: 'the results are not well-formed' }];
  if (points.passed + points.skipped.length === 0 && !saysSkipAll(results)) {
    return [{ name: 'empty', detail: 'the file tests nothing' }];
  }
  return [];
}

/** Whether the file itself said that all of it is skipped: the parser says so of no output, too. */
function saysSkipAll({ plan }) {
  return plan.skipAll && plan.skipReason !== 'no tests found';
}

function skipsOf(points, results) {
  const skips = points.skipped.map((point) => ({
    name: point.fullname || point.name,
    reason: point.skip === true ? `no reason given (${point.name})` : point.skip,
  }));
  if (!saysSkipAll(results)) return skips;
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
