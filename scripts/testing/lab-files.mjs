// Which test files run in the lab, in the Dom0 of a real Xen.
import { readFileSync } from 'node:fs';

/** This folder is about Xen's domains. */
const LAB_FOLDER = '/test/xen/';

/** What a file imports that tests any driver, the one that HATCHERY_TEST_DRIVER names. */
const ANY_DRIVER = /from '[./]+(drivers\/)?(driver|fabric)-under-test\.js'/;

/**
 * Where a test file runs.
 *
 * @param {string} file the compiled file, absolute
 * @returns {'host' | 'lab' | 'both'}
 */
export function whereOf(file) {
  if (file.includes(LAB_FOLDER)) return 'lab';
  return ANY_DRIVER.test(readFileSync(file, 'utf8')) ? 'both' : 'host';
}
