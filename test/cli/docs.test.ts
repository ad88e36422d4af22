/** docs/cli.md says what the command line does: its options, its exit codes, its examples. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { findObstacle } from '../../src/drivers/xen-host.js';
import { noKvm } from '../fabric/kvm.js';
import { hatchery, MAIN, runToEnd } from './command.js';
import { ECHO } from './functions.js';

const EXAMPLES_FOLDER = fileURLToPath(new URL('../../../examples', import.meta.url));
const page = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8');

/** Domains can be made on a Xen host only; test/xen makes them, in the lab. */
const noDom0 = findObstacle() !== undefined;

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

t.test('all commands and options of domain are there', async (t) => {
  const text = section('hatchery domain');
  const { stdout } = await hatchery(['domain', '--help']);
  const [, list = ''] = /^Commands:\n((?: .*\n)*)/m.exec(stdout) ?? [];
  const commands = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
  t.ok(commands.length > 12);
  const helps = await Promise.all(
    commands
      .filter((name) => name !== 'help')
      .map(async (name) => [name, await hatchery(['domain', name, '--help'])] as const),
  );
  for (const [command, { stdout: help }] of helps) {
    t.ok(new RegExp(`^\\|.*\`${command}[ \`]`, 'm').test(text), command);
    for (const [, option = ''] of help.matchAll(/^ {2}(--[a-z-]+)/gm)) {
      t.ok(text.includes(`\`${option}`), `${command} ${option}`);
    }
  }
});

/** The lines of all code blocks, each a command. */
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

t.test('the examples work', { skip: noKvm }, async (t) => {
  t.ok(examples.length > 10);
  const folder = t.testdir({
    'app.ts': ECHO,
    '.env': 'NAME=value\n',
    'web.cfg': 'name="web"\nkernel="/boot/vmlinuz"\n',
    examples: t.fixture('symlink', EXAMPLES_FOLDER),
    bin: { hatchery: t.fixture('symlink', MAIN) },
  });
  for (const example of examples) {
    t.test(example, async (t) => {
      const command = example.includes('hatchery serve') ? untilItServes(example) : example;
      const { code, stderr, stdout } = await runToEnd(['bash', '-c', command], {
        cwd: folder,
        env: { PATH: `${folder}/bin:${process.env.PATH}` },
      });
      if (example.includes('hatchery domain') && noDom0) {
        t.equal(code, EXIT_CODES.machine.code, 'the line is right, and the machine lacks Xen');
        t.match(stdout + stderr, 'XEN_UNAVAILABLE');
      } else {
        t.equal(code, 0, stderr);
      }
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
