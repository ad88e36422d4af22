// The native addons: each target of binding.gyp on its own, so that what is missing for one driver
// costs that driver only.
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { headersPrefix } from './headers.mjs';
import { at } from './root.mjs';

/**
 * What each target is made of: its sources, and headers that not every machine has: the system's, and
 * Node's own, which the package node-api-headers does not contain.
 */
const ADDONS = {
  hatchery_kvm: { sources: ['native/machine', 'native/kvm'] },
  hatchery_process: { sources: ['native/machine', 'native/process'] },
  hatchery_process_guests: { sources: ['native/machine', 'native/process_guests'] },
  hatchery_xen: {
    sources: ['native/machine', 'native/xen', 'images/kernel/xen/pvh_stub.S'],
    headers: ['xenctrl.h', 'xenguest.h', 'xenstore.h'],
  },
  hatchery_libxl: {
    sources: ['native/machine', 'native/libxl'],
    headers: ['libxl.h', 'libxlutil.h', 'xenstore.h'],
    nodeHeaders: ['uv.h'],
  },
};

/** The targets that are used, and those that only tests use. */
export const TARGETS = Object.keys(ADDONS);
export const TEST_TARGETS = [
  'hatchery_kvm_test',
  'hatchery_process_test',
  'hatchery_process_guests_test',
  'hatchery_xen_test',
];

const addonOf = (target) => ADDONS[target.replace(/_test$/, '')];

/** Whether the headers are here without which a target cannot be built and is left out. */
export function canBuild(target) {
  const { headers = [], nodeHeaders = [] } = addonOf(target);
  return (
    headers.every((header) => existsSync(`/usr/include/${header}`)) &&
    nodeHeaders.every((header) => existsSync(path.join(headersPrefix(), 'include/node', header)))
  );
}

/** Folders, relative to the checkout, where the two kinds of build leave TARGET.node. */
export const RELEASE = 'build/Release';
export const SANITIZED = 'build/asan';

function nodeGyp() {
  try {
    return createRequire(at('package.json')).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    // An installed package has no node-gyp of its own, but npm names the one that it brings.
    return process.env.npm_config_node_gyp;
  }
}

/** The sources of a target; the headers of the ABI are among them. */
function digest(target, sanitized) {
  const files = filesBelow(['binding.gyp', 'images/abi', ...addonOf(target).sources]);
  return digestOf(files, [lockedVersion('node-addon-api'), sanitized]);
}

/**
 * Builds one target.
 *
 * @param {string} target
 * @param {{sanitized?: boolean, strict?: boolean}} [options] `strict`: warnings are errors
 * @throws {import('./step.mjs').StepFailure}
 */
export async function buildTarget(target, { sanitized = false, strict = true } = {}) {
  const log = `addon-${target}${sanitized ? '-asan' : ''}`;
  const gyp = [process.execPath, nodeGyp()];
  const kind = sanitized ? '--debug' : '--release';
  await runLogged(log, [
    ...gyp,
    'configure',
    kind,
    `--nodedir=${headersPrefix()}`,
    '--',
    `-Dhatchery_strict=${strict ? 1 : 0}`,
  ]);
  await runLogged(log, [...gyp, 'build', kind, '--jobs=2', target], { append: true });
  if (!sanitized) return;
  mkdirSync(at(SANITIZED), { recursive: true });
  // At one go: a process that has the addon before it mapped would crash.
  const made = at(SANITIZED, `${target}.node.new`);
  copyFileSync(at('build/Debug', `${target}.node`), made);
  renameSync(made, at(SANITIZED, `${target}.node`));
}

/** A step that builds one target to build/Release, or with sanitizers to build/asan. */
export function addonStep(target, { sanitized = false } = {}) {
  const folder = sanitized ? SANITIZED : RELEASE;
  const name = `${target}${sanitized ? '-asan' : ''}`;
  return {
    name: TEST_TARGETS.includes(target) ? 'test addon' : 'addon',
    title: `${path.join(folder, target)}.node`,
    optional: true,
    remedy: 'without it the driver that needs it cannot work; "npm run build:addon" tries again',
    isCurrent: () =>
      !canBuild(target) ||
      (existsSync(at(folder, `${target}.node`)) && isStamped(name, digest(target, sanitized))),
    async run() {
      const before = digest(target, sanitized);
      await buildTarget(target, { sanitized });
      stamp(name, before);
    },
  };
}
