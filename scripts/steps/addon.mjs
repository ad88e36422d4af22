// The native addons: each target of binding.gyp on its own, so that what is missing for one driver
// costs that driver only.
import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { runLogged } from './command.mjs';
import { digestOf, filesBelow, isStamped, lockedVersion, stamp } from './digest.mjs';
import { headersPrefix } from './headers.mjs';
import { at } from './root.mjs';

/** The targets that are used, and those that only tests use. */
export const TARGETS = ['hatchery_kvm', 'hatchery_process'];
export const TEST_TARGETS = ['hatchery_kvm_test', 'hatchery_process_test'];

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

/** The sources of all targets; the header of the ABI is one of them. */
function digest(sanitized) {
  const files = filesBelow(['binding.gyp', 'native', 'images/abi']);
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
    isCurrent: () => existsSync(at(folder, `${target}.node`)) && isStamped(name, digest(sanitized)),
    async run() {
      const before = digest(sanitized);
      await buildTarget(target, { sanitized });
      stamp(name, before);
    },
  };
}
