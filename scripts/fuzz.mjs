// npm run fuzz -- [--seconds N] [--seed N]: attacks what reads a guest's bytes with random inputs, for
// N seconds in all (60 by default). A fault ends it with code 1; its input is in build/fuzz/crashes.
import { parseArgs } from 'node:util';
import { allSteps } from './steps/all.mjs';
import { runStepsOrExit } from './steps/step.mjs';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? undefined : Number(values.seed);
if (!(seconds >= 1) || (seed !== undefined && !(Number.isInteger(seed) && seed >= 0))) {
  console.error('Usage: npm run fuzz -- [--seconds N] [--seed N]');
  process.exit(2);
}

await runStepsOrExit(allSteps());
const { fuzz } = await import('./testing/fuzzing.mjs');
const { done, failures, skips } = await fuzz(seconds, { seed });
for (const line of done) console.log(line);
for (const skip of skips) console.log(`SKIPPED ${skip}`);
for (const failure of failures) console.log(`FAILED ${failure}`);
const skipped = skips.length > 0 ? `, ${skips.length} skipped` : '';
console.log(
  `fuzz: ${failures.length === 0 ? 'nothing found' : `${failures.length} failed`}${skipped}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
