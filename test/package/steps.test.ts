/** The steps of the set-up: what they say, and what they do when one of them fails. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runToEnd } from '../cli/command.js';

const SCRIPTS = fileURLToPath(new URL('../../../scripts', import.meta.url));

/** Runs steps, given as JavaScript, in a process of their own. */
const runSteps = (steps: string) =>
  runToEnd([
    process.execPath,
    '--input-type=module',
    '--eval',
    `import { runLogged } from '${SCRIPTS}/steps/command.mjs';
     import { runStepsOrExit } from '${SCRIPTS}/steps/step.mjs';
     const { failed } = await runStepsOrExit([${steps}]);
     console.log(JSON.stringify(failed));`,
  ]);

const DONE = `{ name: 'done', title: 'x', isCurrent: () => true, run() { console.log('ran'); } }`;
const WORKS = `{ name: 'works', title: 'does it', isCurrent: () => false, run() {} }`;
const fails = (optional: boolean) => `{
  name: 'fails', title: 'tries', remedy: 'try harder', optional: ${optional},
  isCurrent: () => false,
  run: () => runLogged('steps-test', ['sh', '-c', 'seq 30; echo the reason >&2; exit 3']),
}`;

t.test('nothing to do', async (t) => {
  const { code, stdout, stderr } = await runSteps(`${DONE}, ${DONE}`);
  t.equal(code, 0);
  t.equal(stdout, '[]\n', 'what is current does not run');
  t.match(stderr, /^Up to date: done, done \(\d+\.\d s\)\n$/);
});

t.test('a line with the time for each step that runs', async (t) => {
  const { stderr } = await runSteps(`${DONE}, ${WORKS}`);
  t.match(stderr, /^works +does it … \d+\.\d s\nSet up in \d+\.\d s\n$/);
});

t.test('a step that fails: the end of its log, the whole log, the remedy', async (t) => {
  const { code, stdout, stderr } = await runSteps(`${fails(false)}, ${WORKS}`);
  t.equal(code, 1);
  t.equal(stdout, '', 'what comes after it does not run');
  t.match(stderr, 'fails: failed: sh ended with code 3');
  t.match(stderr, /^ {4}30\n {4}the reason$/m);
  t.notMatch(stderr, /^ {4}5$/m, 'only the last lines');
  t.match(stderr, 'build/logs/steps-test.log');
  t.match(stderr, 'What to do: try harder');
});

t.test('an optional step that fails costs itself only', async (t) => {
  const { code, stdout, stderr } = await runSteps(`${fails(true)}, ${WORKS}`);
  t.equal(code, 0);
  t.equal(stdout, '["fails"]\n');
  t.match(stderr, 'fails: not available: sh ended with code 3');
  t.match(stderr, /^works /m);
});

t.test('a command that is not there', async (t) => {
  const step = fails(false).replace("'sh'", "'no-such-tool'");
  const { code, stderr } = await runSteps(step);
  t.equal(code, 1);
  t.match(stderr, 'cannot run no-such-tool');
});
