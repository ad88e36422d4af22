// npm start: sets up what is missing, then serves examples/hello.ts, or the file that is given.
// Arguments after -- are those of "hatchery serve".

import { allSteps } from './steps/all.mjs';
import { at } from './steps/root.mjs';
import { runStepsOrExit } from './steps/step.mjs';

await runStepsOrExit(allSteps());

const given = process.argv.slice(2);
const namesFile = given.some((argument) => /^[^-].*\.[cm]?[jt]sx?$/.test(argument));
const file = namesFile ? [] : [at('examples/hello.ts')];
const { main } = await import('../dist/src/cli/main.js');
process.exitCode = await main(['serve', ...file, '--self-test', '200', ...given]);
