/** docs/cli.md says what the command line does: its options, its exit codes, its examples. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { noKvm } from '../fabric/kvm.js';
import { hatchery, MAIN, runToEnd } from './command.js';
import { ECHO } from './functions.js';

const EXAMPLES_FOLDER = fileURLToPath(new URL('../../../examples', import.meta.url));
const page = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8');

const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';

t.test('the table of exit codes is the one in the code', async (t) => {
  const rows = [...section('Exit codes').matchAll(/^\| (\d+) \| (.*) \|$/gm)];
  t.same(
    rows.map(([, code, meaning]) => ({ code: Number(code), meaning })),
    Object.values(EXIT_CODES),
  );
});

for (const command of ['serve', 'run', 'doctor', 'version']) {
  t.test(`all options of ${command} are there`, async (t) => {
    const { stdout } = await hatchery([command, '--help']);
    const options = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option = '']) => option);
    t.ok(options.includes('--json'));
    const text = command === 'serve' || command === 'run' ? section(`hatchery ${command}`) : page;
    for (const option of options) {
      t.ok(text.includes(`\`${option}`), option);
    }
  });
}

/** The lines of all code blocks, each a command. */
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

t.test('the examples work', { skip: noKvm }, async (t) => {
  t.ok(examples.length > 10);
  const folder = t.testdir({
    'app.ts': ECHO,
    '.env': 'NAME=value\n',
    examples: t.fixture('symlink', EXAMPLES_FOLDER),
    bin: { hatchery: t.fixture('symlink', MAIN) },
  });
  for (const example of examples) {
    t.test(example, async (t) => {
      const command = example.includes('hatchery serve') ? untilItServes(example) : example;
      const { code, stderr } = await runToEnd(['bash', '-c', command], {
        cwd: folder,
        env: { PATH: `${folder}/bin:${process.env.PATH}` },
      });
      t.equal(code, 0, stderr);
    });
  }
});

/** A server: on any free port, stopped as soon as it says where it serves. */
function untilItServes(example: string): string {
  return `
    exec 3< <(exec ${example.replace(/--port \d+/, '')} --port 0)
    server=$!
    read -r line <&3 && [[ $line == *http://* ]] || exit 9
    kill -INT $server
    cat <&3 | grep -qi stopped`;
}
