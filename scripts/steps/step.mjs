// Runs set-up steps one after another: skips what is current, prints a line with the elapsed time
// for each that runs, and says what to do when one fails.
// By namespace: an older Node has no styleText, and must get as far as being told that it is too old.
import * as util from 'node:util';

/**
 * @typedef {object} Step
 * @property {string} name one word, for the progress line and the log file
 * @property {string} title what it does
 * @property {string} [remedy] what the user can do when it fails and the failure names nothing better
 * @property {boolean} [optional] a failure is reported, and the steps after it run all the same
 * @property {() => boolean | Promise<boolean>} isCurrent whether nothing needs to be done; may throw
 *   a StepFailure when the step can never succeed here
 * @property {() => void | Promise<void>} run
 */

/** A step that cannot be done, with what the user can do about it. */
export class StepFailure extends Error {
  /**
   * @param {string} message
   * @param {{remedy?: string, lastLines?: string[], logFile?: string}} [details]
   */
  constructor(message, details = {}) {
    super(message);
    this.remedy = details.remedy;
    this.lastLines = details.lastLines ?? [];
    this.logFile = details.logFile;
  }
}

const out = process.stderr;
const style = (format, text) =>
  out.isTTY && !process.env.NO_COLOR && util.styleText ? util.styleText(format, text) : text;

/** A duration since `start` (`performance.now()` milliseconds), for people: `0.4 s`, `1 min 12 s`. */
export function elapsedSince(start) {
  const seconds = (performance.now() - start) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function report(step, failure) {
  const mark = step.optional ? 'not available' : 'failed';
  out.write(`\n${style('red', `${step.name}: ${mark}: ${failure.message}`)}\n`);
  if (failure.lastLines.length > 0) {
    out.write(`${failure.lastLines.map((line) => `    ${line}`).join('\n')}\n`);
  }
  if (failure.logFile) out.write(`  The whole log: ${failure.logFile}\n`);
  const remedy = failure.remedy ?? step.remedy;
  if (remedy) out.write(`  What to do: ${remedy}\n`);
}

/**
 * Runs the steps in order.
 *
 * @param {Step[]} steps
 * @returns {Promise<{failed: string[]}>} the optional steps that failed
 * @throws {StepFailure} when a step that is not optional fails; it has been reported already
 */
export async function runSteps(steps) {
  const start = performance.now();
  const failed = [];
  let ran = 0;
  for (const step of steps) {
    const stepStart = performance.now();
    try {
      if (await step.isCurrent()) continue;
      ran += 1;
      out.write(`${style('bold', step.name.padEnd(13))} ${step.title} …`);
      await step.run();
      out.write(` ${elapsedSince(stepStart)}\n`);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      report(step, error);
      if (!step.optional) throw error;
      failed.push(step.name);
    }
  }
  const names = steps.map((step) => step.name).join(', ');
  out.write(
    ran === 0
      ? `Up to date: ${names} (${elapsedSince(start)})\n`
      : `Set up in ${elapsedSince(start)}\n`,
  );
  return { failed };
}

/** Runs steps for a command line: a failure that was reported ends the process with code 1. */
export async function runStepsOrExit(steps) {
  try {
    return await runSteps(steps);
  } catch (error) {
    if (error instanceof StepFailure) process.exit(1);
    throw error;
  }
}
