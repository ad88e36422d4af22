// node scripts/build.mjs [addon] [test-addon] [images] [typescript] [bench-tools]: builds these parts, or all that is
// not for tests or the benchmark only.
import {
  addonSteps,
  groundSteps,
  imageSteps,
  testAddonSteps,
  typescriptSteps,
} from './steps/all.mjs';
import { benchPackagesStep } from './steps/packages.mjs';
import { runStepsOrExit } from './steps/step.mjs';

const PARTS = {
  addon: addonSteps,
  'test-addon': testAddonSteps,
  images: imageSteps,
  typescript: typescriptSteps,
  'bench-tools': () => [benchPackagesStep],
};

const EVERYTHING = ['addon', 'images', 'typescript'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`There is no part "${unknown[0]}"; there are: ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}
const names = asked.length > 0 ? asked : EVERYTHING;
const { failed } = await runStepsOrExit([
  ...groundSteps(),
  ...names.flatMap((name) => PARTS[name]()),
]);
process.exit(failed.length > 0 ? 1 : 0);
