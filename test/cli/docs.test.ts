/** docs/cli.md says what the command line does: its options, its exit codes, its examples. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { findObstacle } from '../../src/drivers/xen-host.js';
import { noDriver } from '../drivers/default-driver.js';
import { COMMAND, fakeSdk } from '../image/fake-sdk.js';
import { hatchery, MAIN, runToEnd, Served } from './command.js';
import { ECHO } from './functions.js';

const EXAMPLES_FOLDER = fileURLToPath(new URL('../../../examples', import.meta.url));
const page = readFileSync(fileURLToPath(new URL('../../../docs/cli.md', import.meta.url)), 'utf8');

/** Domains can be made on a Xen host only; test/xen makes them, in the lab. */
const noDom0 = findObstacle() !== undefined;

const section = (title: string) => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';

/** Commands that talk to a server. */
const SHARED = { deploy: true, events: true, top: true, dashboard: true };

t.test('the table of exit codes is the one in the code', async (t) => {
  const rows = [...section('Exit codes').matchAll(/^\| (\d+) \| (.*) \|$/gm)];
  t.same(
    rows.map(([, code, meaning]) => ({ code: Number(code), meaning })),
    Object.values(EXIT_CODES),
  );
});

for (const command of [
  ...[
    'serve',
    'run',
    'up',
    'deploy',
    'dashboard',
    'events',
    'top',
    'completion',
    'doctor',
    'version',
  ],
]) {
  t.test(`all options of ${command} are there`, async (t) => {
    const { stdout } = await hatchery([command, '--help']);
    const options = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option = '']) => option);
    t.ok(options.includes('--json'));
    const isShort = ['completion', 'doctor', 'version'].includes(command);
    const shared = command in SHARED ? section('Reaching a server') : '';
    const text = isShort ? page : section(`hatchery ${command}`) + shared;
    for (const option of options) {
      const isLimit = command === 'deploy' && section('hatchery serve').includes(`\`${option}`);
      t.ok(isLimit || text.includes(`\`${option}`), option);
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

for (const noun of ['function', 'instance', 'image', 'token']) {
  t.test(`all commands and options of ${noun} are there`, async (t) => {
    const deploy = noun === 'function' ? section('hatchery deploy') : '';
    const text = section(`hatchery ${noun} COMMAND`) + deploy + section('Reaching a server');
    const { stdout } = await hatchery([noun, '--help']);
    const [, list = ''] = /^Commands:\n((?: .*\n)*)/m.exec(stdout) ?? [];
    const verbs = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name);
    t.ok(verbs.length > 3);
    for (const verb of verbs.filter((name) => name !== 'help')) {
      t.match(text, new RegExp(`^\\|.*\`${verb}[ \`]`, 'm'), verb);
      const { stdout: help } = await hatchery([noun, verb, '--help']);
      for (const [, option = ''] of help.matchAll(/^ {2}(--[a-z-]+)/gm)) {
        const isLimit = section('hatchery serve').includes(`\`${option}`);
        t.ok(isLimit || text.includes(`\`${option}`), `${verb} ${option}`);
      }
    }
  });
}

/** The lines of all code blocks, each a command. */
const examples = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);

t.test('the examples work', { skip: noDriver }, async (t) => {
  t.ok(examples.length > 10);
  const folder = t.testdir({
    'app.ts': ECHO,
    'app.wat': COMMAND,
    'app.lua': 'function handle() return "lua" end\n',
    'main.c': 'int main(void) { return 0; }\n',
    public: { 'index.html': 'page' },
    '.env': 'NAME=value\n',
    'web.cfg': 'name="web"\nkernel="/boot/vmlinuz"\n',
    examples: t.fixture('symlink', EXAMPLES_FOLDER),
    bin: { hatchery: t.fixture('symlink', MAIN) },
  });
  // Lines are right or wrong whatever an SDK makes of the sources.
  const own = { XDG_DATA_HOME: `${folder}/data`, HATCHERY_SDK: fakeSdk(`${folder}/sdk`) };
  const data = `${folder}/kept`;
  const up = new Served(['--control-port', '0', '--data', data], {}, [MAIN], 'up');
  t.teardown(() => up.stop());
  const { control } = await up.next('listening');
  const token = readFileSync(`${data}/token`, 'utf8').trim();
  const reach = { HATCHERY_SERVER: String(control), HATCHERY_TOKEN: token, ...own };
  const quietly = async (...args: string[]) => {
    const { stdout } = await hatchery([...args, '--json'], { cwd: folder, env: reach });
    return JSON.parse(stdout);
  };
  // The examples roll it back, and use an instance of it.
  await quietly('function', 'deploy', 'app.ts');
  const { id: INSTANCE } = await quietly('instance', 'spawn', 'app');
  for (const example of examples) {
    t.test(example, async (t) => {
      const serves = /hatchery (serve|up)/.test(example);
      const command = serves ? untilItServes(example) : example;
      const { code, stderr, stdout } = await runToEnd(['bash', '-c', command], {
        cwd: folder,
        env: { PATH: `${folder}/bin:${process.env.PATH}`, INSTANCE, ...reach },
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
  const ports = example.includes('hatchery up') ? '--port 0 --control-port 0' : '--port 0';
  return `
    exec 3< <(exec ${example.replace(/ --(control-)?port \d+/g, '')} ${ports})
    server=$!
    read -r line <&3 && [[ $line == *http://* ]] || exit 9
    kill -INT $server
    cat <&3 | grep -qi stopped`;
}
