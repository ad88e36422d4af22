// npm run lab -- [OPTIONS] COMMAND…: runs a command in the Dom0 of a real Xen, in QEMU's software emulation.
// Its output and its exit code are those of this process; see docs/xen-lab.md.
import { parseArgs } from 'node:util';
import { labPackagesStep } from './lab/packages.mjs';
import { runInLab } from './lab/run.mjs';
import { sanitizedLab } from './lab/sanitizers.mjs';

const USAGE = `Usage: npm run lab -- [OPTIONS] COMMAND [ARGUMENT…]

Runs COMMAND in /hatchery of Dom0, where the checkout's built files are.

  --include PATH    a file or folder for Dom0's /tmp; may be given several times
  --env NAME=VALUE  for the command's environment; variables called HATCHERY_… are passed on anyway
  --memory MIB      of the whole machine, of which Dom0 has 1024 (default: 3072)
  --asan            with the addons that "npm run test:asan" builds
  --icount          a clock that counts instructions, on one processor: figures repeat
  --timeout SECONDS until the machine is ended with code 124 (default: 300)
  --quiet           no lines about the boot
`;

/** The codes of timeout(1) and of a command that could not be run at all. */
const TIMED_OUT = 124;
const NO_LAB = 125;

function fail(message) {
  process.stderr.write(`lab: ${message}\n\n${USAGE}`);
  process.exit(2);
}

/** Options end where the command starts: its own are not ours. */
function parse(args) {
  const withValue = ['--include', '--env', '--memory', '--timeout'];
  let end = 0;
  while (end < args.length && args[end].startsWith('-') && args[end] !== '--') {
    end += withValue.includes(args[end]) ? 2 : 1;
  }
  const { values } = parseArgs({
    args: args.slice(0, end),
    options: {
      include: { type: 'string', multiple: true, default: [] },
      env: { type: 'string', multiple: true, default: [] },
      memory: { type: 'string', default: '3072' },
      timeout: { type: 'string', default: '300' },
      asan: { type: 'boolean', default: false },
      icount: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
    },
  });
  return { values, command: args.slice(args[end] === '--' ? end + 1 : end) };
}

function environmentOf(pairs) {
  const passed = Object.entries(process.env).filter(([name]) => name.startsWith('HATCHERY_'));
  const given = pairs.map((pair) => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(pair) ?? fail(`--env ${pair}`);
    return [name, value];
  });
  return Object.fromEntries([...passed, ...given]);
}

function numberOf(name, text, least) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) {
    fail(`--${name} is a whole number, at least ${least}; it was ${text}`);
  }
  return number;
}

let parsed;
try {
  parsed = parse(process.argv.slice(2));
} catch (error) {
  fail(error.message);
}
const { values, command } = parsed;
if (command.length === 0) fail('there is no command');
const note = values.quiet ? () => {} : (text) => process.stderr.write(`lab: ${text}\n`);
try {
  if (!labPackagesStep.isCurrent()) await labPackagesStep.run();
  const sanitized = values.asan ? sanitizedLab() : { include: [], environment: {} };
  const {
    code,
    timedOut,
    console: consoleFile,
  } = await runInLab({
    command,
    environment: { ...sanitized.environment, ...environmentOf(values.env) },
    include: [...sanitized.include, ...values.include],
    memory: numberOf('memory', values.memory, 1536),
    timeout: numberOf('timeout', values.timeout, 1),
    counted: values.icount,
    note,
  });
  if (timedOut) process.stderr.write(`lab: not done after ${values.timeout} s\n`);
  if (code === undefined) process.stderr.write(`lab: what Xen and Dom0 said: ${consoleFile}\n`);
  process.exitCode = code ?? (timedOut ? TIMED_OUT : NO_LAB);
} catch (error) {
  process.stderr.write(`lab: ${error.message}\n`);
  if (error.remedy) process.stderr.write(`  What to do: ${error.remedy}\n`);
  process.exitCode = NO_LAB;
}
