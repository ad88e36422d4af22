// Which test files run in the lab, in the Dom0 of a real Xen.

/** This folder is about Xen's domains, but for what needs no Xen. */
const LAB_FOLDER = 'xen/';
const WITHOUT_XEN = ['xen/domain-config'];

/** Files that test any driver, the one that HATCHERY_TEST_DRIVER names: they run on the host as well. */
const ANY_DRIVER = [];

/**
 * Where a test file runs.
 *
 * @param {string} name as `shortName` has it: `xen/rewind`
 * @returns {'host' | 'lab' | 'both'}
 */
export function whereOf(name) {
  if (ANY_DRIVER.includes(name)) return 'both';
  return name.startsWith(LAB_FOLDER) && !WITHOUT_XEN.includes(name) ? 'lab' : 'host';
}
