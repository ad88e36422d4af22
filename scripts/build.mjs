// node scripts/build.mjs [addon] [images] [typescript] [--asan]: builds these parts, or all.
import { addonSteps, groundSteps, imageSteps, typescriptSteps } from './steps/all.mjs';
import { runStepsOrExit } from './steps/step.mjs';

const PARTS = {
  addon: () => addonSteps({ sanitized: process.argv.includes('--asan') }),
  images: imageSteps,
  typescript: typescriptSteps,
};

const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`There is no part "${unknown[0]}"; there are: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const names = asked.length > 0 ? asked : Object.keys(PARTS);
const { failed } = await runStepsOrExit([
  ...groundSteps(),
  ...names.flatMap((name) => PARTS[name]()),
]);
process.exit(failed.length > 0 ? 1 : 0);
