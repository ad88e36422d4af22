// What a checkout needs before anything in it can run, in order.
import { addonStep, TARGETS } from './addon.mjs';
import { dependenciesStep } from './dependencies.mjs';
import { imageNames, imageStep } from './images.mjs';
import { nodeStep } from './node.mjs';
import { packagesStep } from './packages.mjs';
import { typescriptStep } from './typescript.mjs';

/** The machine and the npm packages. */
export const groundSteps = () => [nodeStep, packagesStep, dependenciesStep];

export const addonSteps = (options) => TARGETS.map((target) => addonStep(target, options));
export const imageSteps = () => imageNames().map(imageStep);
export const typescriptSteps = () => [typescriptStep];

/** Everything that `npm start` needs. */
export const allSteps = () => [
  ...groundSteps(),
  ...addonSteps(),
  ...imageSteps(),
  ...typescriptSteps(),
];
