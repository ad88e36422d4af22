// Which test files run in the lab, in the Dom0 of a real Xen.
import { readFileSync } from 'node:fs';

/** This folder is about Xen's domains. */
const LAB_FOLDER = '/test/xen/';

/** These compile programs, for which Dom0 has no tools. */
const COMPILING_FOLDER = /\/test\/(image|images|wasm)\//;

/**
 * What `npm test` runs of it on a developer's machine, where it should not take much more than a minute. The
 * rest is for `npm run test:xen` and for continuous integration, which run every file of the lab.
 */
const IN_EVERY_RUN =
  /\/test\/xen\/(domain-faults|hostile-guests|libxl-(domains|events)|pv-machine|rewind)\.test\.js$/;

/** What runs once more with guests in processes, in every run: some seconds each. */
const IN_PROCESS_RUN = [
  /\/test\/drivers\/(hostile-guests|lifecycle|unconfigured|yields)\.test\.js$/,
  /\/test\/fabric\/(function|isolation|limits|start-up|started-images|usage)\.test\.js$/,
  // Every kind of image: modules, C programs, Lua, and the way from a source to a response.
  /\/test\/(images\/(c-programs|c-refused|lua|modules|wasi)|wasm\/[a-z-]+)\.test\.js$/,
  /\/test\/(image\/real-build|cli\/image)\.test\.js$/,
];

/** The environment of that run: tests that name no driver take processes, too, where KVM is hidden. */
export const PROCESS_RUN = { HATCHERY_TEST_DRIVER: 'process', HATCHERY_HIDE_KVM: '1' };

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
  if (COMPILING_FOLDER.test(file)) return 'host';
  return ANY_DRIVER.test(readFileSync(file, 'utf8')) ? 'both' : 'host';
}

/** Whether `npm test` runs a file of the lab's; see {@link IN_EVERY_RUN}. */
export function isInEveryRun(file) {
  return IN_EVERY_RUN.test(file);
}

/** Whether a file of the host's runs with the process driver, too; see {@link IN_PROCESS_RUN}. */
export function isInProcessRun(file) {
  return IN_PROCESS_RUN.some((pattern) => pattern.test(file));
}
