// npm start: sets up what is missing, then runs "hatchery up" with examples/hello.ts, or the file that is
// given. Other arguments after -- are those of "hatchery up".

import { allSteps } from './steps/all.mjs';
import { at } from './steps/root.mjs';
import { runStepsOrExit } from './steps/step.mjs';

await runStepsOrExit(allSteps());

const given = process.argv.slice(2);
const isFile = (argument, index) =>
  /^[^-].*\.([cm]?[jt]sx?|wasm|wat|c|lua)$/.test(argument) && given[index - 1] !== '--deploy';
const options = given.flatMap((argument, index) =>
  isFile(argument, index) ? ['--deploy', argument] : [argument],
);
const { main } = await import('../dist/src/cli/main.js');
// Of several --deploy the last one counts.
const standard = ['--deploy', at('examples/hello.ts'), '--self-test', '200'];
process.exitCode = await main(['up', ...standard, ...options]);
