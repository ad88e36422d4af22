// The first step: is this Node new enough?
import { StepFailure } from './step.mjs';

const MINIMUM = 20;

/** @type {import('./step.mjs').Step} */
export const nodeStep = {
  name: 'node',
  title: `Node ${MINIMUM} or newer`,
  isCurrent() {
    const major = Number(process.versions.node.split('.')[0]);
    if (major < MINIMUM) {
      throw new StepFailure(
        `this is Node ${process.versions.node}; ${MINIMUM} or newer is needed`,
        {
          remedy:
            'install it from https://nodejs.org/en/download (Debian 12 ships 18) or with a version ' +
            `manager, for instance "nvm install ${MINIMUM}"; then run the command again`,
        },
      );
    }
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new StepFailure(
        `this is ${process.platform} on ${process.arch}; Hatchery runs on Linux on x86-64`,
        { remedy: 'run it on such a machine, or in a virtual machine with nested virtualisation' },
      );
    }
    return true;
  },
  run() {},
};
