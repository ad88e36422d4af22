/** What `npm run lab` says to command lines that it cannot follow, before anything is set up. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runToEnd } from '../cli/command.js';

const LAB = fileURLToPath(new URL('../../../scripts/lab.mjs', import.meta.url));

const CASES = [
  ['nothing to run', [], /no command/],
  ['an option without a command', ['--icount'], /no command/],
  ['an unknown option', ['--fast', 'true'], /--fast/],
  ['memory that is no number', ['--memory', 'much', 'true'], /--memory is a whole number/],
  ['less memory than Dom0 has', ['--memory', '512', 'true'], /at least 1536/],
  ['no time', ['--timeout', '0', 'true'], /--timeout is a whole number/],
  ['a variable without a value', ['--env', 'NAME', 'true'], /--env NAME/],
] as const;

for (const [name, args, message] of CASES) {
  t.test(name, async (t) => {
    const ended = await runToEnd([process.execPath, LAB, ...args]);
    t.equal(ended.code, 2);
    t.match(ended.stderr, message);
    t.match(ended.stderr, 'Usage: npm run lab');
    t.equal(ended.stdout, '');
  });
}
