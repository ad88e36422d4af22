// Runs all test files: two at a time, and those called *.alone.test.ts one by one at the end.
import path from 'node:path';
import { filesBelow } from '../steps/digest.mjs';
import { at } from '../steps/root.mjs';
import { whereOf } from './lab-files.mjs';
import { runTapFile } from './tap-file.mjs';

const JOBS = 2;

/**
 * Compiled test files whose path contains one of the words; all if there are no words.
 *
 * @param {string[]} words
 * @returns {{host: string[], lab: string[]}} those that run here, and those that run in the lab; some
 *   are in both
 */
export function testFiles(words) {
  const files = filesBelow(['dist/test'], (file) => file.endsWith('.test.js')).filter(
    (file) => words.length === 0 || words.some((word) => file.includes(word)),
  );
  return {
    host: files.filter((file) => whereOf(file) !== 'lab'),
    lab: files.filter((file) => whereOf(file) !== 'host'),
  };
}

/**
 * @param {string[]} files
 * @param {Record<string, string>} env for the test processes
 * @param {(result: import('./tap-file.mjs').FileResult) => void} onResult called for each file
 * @param {Promise<void>} [beside] what else runs now: the files that run alone wait for it
 */
export async function runSuite(files, env, onResult, beside) {
  const isAlone = (file) => file.endsWith('.alone.test.js');
  const together = files.filter((file) => !isAlone(file));
  const work = async () => {
    for (let file = together.shift(); file !== undefined; file = together.shift()) {
      onResult(await runTapFile(file, env));
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  await beside;
  for (const file of files.filter(isAlone)) onResult(await runTapFile(file, env));
}

/** `cli/serve` for `…/dist/test/cli/serve.test.js`. */
export function shortName(file) {
  return path.relative(at('dist/test'), file).replace(/\.test\.js$/, '');
}
