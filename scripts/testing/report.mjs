// Says what the tests did: a line for each file, every skip with its reason, every failure in full.
import { styleText } from 'node:util';
import { shortName } from './tap-suite.mjs';

const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
const style = (format, text) => (coloured ? styleText(format, text) : text);
const indent = (text) => text.replace(/^/gm, '      ');

/** Counts of what ran, over lint, types and tests. */
export class Totals {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** The last line of a test run. */
  toString() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : '';
    return `${this.passed} passed, ${this.failed} failed${skipped}`;
  }
}

/** Counts and reports a check that is not a test file: lint, types. */
export function reportCheck(totals, name, failure) {
  if (failure === undefined) totals.passed += 1;
  else totals.failed += 1;
  console.log(`${failure === undefined ? 'ok    ' : style('red', 'FAILED')} ${name}`);
  if (failure !== undefined) console.log(indent(failure));
}

/** Counts and reports a check, or a part of one, that could not be done here. */
export function reportSkip(totals, name, reason) {
  totals.skipped += 1;
  console.log(style('yellow', `SKIPPED ${name}: ${reason}`));
}

/**
 * Counts and reports a test file.
 *
 * @param {Totals} totals
 * @param {import('./tap-file.mjs').FileResult} result
 * @param {boolean} kvm whether KVM works here; then a test that was skipped for want of it failed
 */
export function reportFile(totals, result, kvm) {
  const wrongly = result.skips.filter((skip) => kvm && /kvm/i.test(skip.reason));
  const skips = result.skips.filter((skip) => !wrongly.includes(skip));
  const failures = [
    ...result.failures,
    ...wrongly.map((skip) => ({
      name: skip.name,
      detail: `skipped (${skip.reason}), although KVM works here`,
    })),
  ];
  totals.passed += result.passed;
  totals.failed += failures.length;
  totals.skipped += skips.length;

  const mark = failures.length > 0 ? style('red', 'FAILED') : 'ok    ';
  const seconds = `${(result.milliseconds / 1000).toFixed(1)} s`;
  console.log(`${mark} ${shortName(result.file)}: ${result.passed} passed, ${seconds}`);
  for (const skip of skips) {
    console.log(style('yellow', `  SKIPPED ${skip.name}: ${skip.reason}`));
  }
  for (const failure of failures) {
    console.log(style('red', `  not ok ${failure.name}`));
    if (failure.detail) console.log(indent(failure.detail));
  }
  if (failures.length > 0 && result.stderr) {
    console.log(`  what it wrote to standard error:\n${indent(result.stderr.trimEnd())}`);
  }
}
