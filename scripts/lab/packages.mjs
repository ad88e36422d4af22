// What the lab needs of the host: QEMU, and the tools that make a Dom0 out of Debian's packages.
import { existsSync, readFileSync } from 'node:fs';
import { findCommand } from '../steps/command.mjs';
import { packagesStepFor } from '../steps/packages.mjs';
import { StepFailure } from '../steps/step.mjs';
import { RELEASE, RELEASE_NAME } from './recipe.mjs';

const REQUIREMENTS = [
  {
    package: 'qemu-system-x86',
    has: () => findCommand('qemu-system-x86_64'),
    why: 'emulates the machine that Xen runs on',
  },
  { package: 'mmdebstrap', has: () => findCommand('mmdebstrap'), why: "unpacks Dom0's packages" },
  { package: 'busybox-static', has: () => findCommand('busybox'), why: "Dom0's small programs" },
  { package: 'xz-utils', has: () => findCommand('xz'), why: "unpacks Dom0's kernel" },
  {
    package: 'libxen-dev',
    has: () => existsSync('/usr/include/xenctrl.h') && existsSync('/usr/include/libxlutil.h'),
    why: 'the addons for Xen are built with it',
  },
  { package: 'binutils', has: () => findCommand('strip'), why: 'makes kernel and modules smaller' },
  { package: 'util-linux', has: () => findCommand('setpriv'), why: 'ends QEMU with its parent' },
];

const step = packagesStepFor(REQUIREMENTS, {
  name: 'lab tools',
  title: 'QEMU, and what makes a Dom0 for it',
  optional: true,
});

/** The libraries that Node and the addons were built with must be those of Dom0. */
function checkRelease() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // Not a system that says what it is.
  }
  if (!text.includes(`VERSION_CODENAME=${RELEASE}\n`)) {
    throw new StepFailure(`the lab's Dom0 is ${RELEASE_NAME}, and this machine is not`, {
      remedy: `run it on ${RELEASE_NAME}, for instance in a container`,
    });
  }
}

/** @type {import('../steps/step.mjs').Step} */
export const labPackagesStep = {
  ...step,
  isCurrent() {
    checkRelease();
    return step.isCurrent();
  },
};
