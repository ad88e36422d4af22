// What a checkout needs before anything in it can run, in order.
import { addonStep, TARGETS, TEST_TARGETS } from './addon.mjs';
import { dashboardStep } from './dashboard.mjs';
import { sourcesStep } from './debian-sources.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { imageNames, imageStep } from './images.mjs';
import { nodeStep } from './node.mjs';
import { packagesStep } from './packages.mjs';
import { processProgramsStep } from './process-programs.mjs';
import { sdkStep } from './sdk.mjs';
import { typescriptStep } from './typescript.mjs';
import { workerBundleStep } from './worker-bundle.mjs';

/** The machine and the npm packages. */
export const groundSteps = () => [nodeStep, packagesStep, dependenciesStep];

export const addonSteps = () => [
  ...TARGETS.map((target) => addonStep(target)),
  processProgramsStep,
];
/** The addons with hooks for tests, and with `sanitized` all of them once more, with sanitizers. */
export const testAddonSteps = ({ sanitized = false } = {}) => [
  ...TEST_TARGETS.map((target) => addonStep(target)),
  ...(sanitized ? [...TARGETS, ...TEST_TARGETS] : []).map((target) =>
    addonStep(target, { sanitized }),
  ),
];
export const imageSteps = () => [sourcesStep, sdkStep, ...imageNames().map(imageStep)];
export const typescriptSteps = () => [typescriptStep, dashboardStep, workerBundleStep];

/** Everything that `npm start` needs. */
export const allSteps = () => [
  ...groundSteps(),
  ...addonSteps(),
  ...imageSteps(),
  ...typescriptSteps(),
];
