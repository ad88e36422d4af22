// The first step: is this Node new enough?
import { StepFailure } from './step.mjs';

/** The oldest Node that works: node-gyp and the CLI need this much of version 20. */
const MINIMUM = [20, 17];

function isRecentEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

/** @type {import('./step.mjs').Step} */
export const nodeStep = {
  name: 'node',
  title: `Node ${MINIMUM.join('.')} or newer`,
  isCurrent() {
    const version = process.versions.node;
    if (!isRecentEnough(version)) {
      throw new StepFailure(`this is Node ${version}; ${MINIMUM.join('.')} or newer is needed`, {
        remedy:
          'install it from https://nodejs.org/en/download (Debian 12 ships 18) or with a version ' +
          `manager, for instance "nvm install ${MINIMUM[0]}"; then run the command again`,
      });
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
