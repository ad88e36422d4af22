/** What the command line says to somebody who does not know it. */
import t from 'tap';
import { findObstacle } from '../../src/drivers/xen-host.js';
import { hatchery } from './command.js';

const COMMANDS = [
  ...[
    'serve',
    'run',
    'up',
    'deploy',
    'function',
    'instance',
    'image',
    'token',
    'dashboard',
    'events',
    'top',
    'completion',
  ],
  ...['domain', 'doctor', 'version'],
];

t.test('help names the commands and the exit codes', async (t) => {
  const { code, stdout } = await hatchery(['--help']);
  t.equal(code, 0);
  for (const word of [...COMMANDS, 'Exit codes:', 'Examples:']) {
    t.match(stdout, word);
  }
});

for (const command of COMMANDS) {
  t.test(`${command} --help has examples`, async (t) => {
    const { code, stdout } = await hatchery([command, '--help']);
    t.equal(code, 0);
    t.match(stdout, `Usage: hatchery ${command}`);
    t.match(stdout, 'Examples:');
    t.match(stdout, '--json');
  });
}

t.test('without a command it says what there is', async (t) => {
  const { code, stderr } = await hatchery([]);
  t.equal(code, 2);
  t.match(stderr, 'Usage: hatchery');
});

const WRONG: [string, string[], string][] = [
  ['an unknown command', ['sevre'], 'Did you mean serve?'],
  ['an unknown option', ['serve', 'a.ts', '--prot', '1'], 'Did you mean --port?'],
  ['no file', ['serve'], "missing required argument 'file'"],
  ['a port that is none', ['serve', 'a.ts', '--port', '70000'], 'from 0 to 65535'],
  ['a size that is none', ['serve', 'a.ts', '--memory', '64MB'], '64MiB'],
  ['a time that is none', ['serve', 'a.ts', '--wall-ms', '0'], 'from 1 to'],
  ['an unknown strategy', ['serve', 'a.ts', '--strategy', 'magic'], 'reset, clone, pool, boot'],
  ['an unknown driver', ['run', 'a.ts', '--driver', 'vmware'], 'auto, kvm, process, xen'],
  ['an unknown kind of domains', ['run', 'a.ts', '--xen-type', 'hvm'], 'pvh, pv'],
  [
    'domains without Xen',
    ['run', 'examples/hello.ts', '--driver', 'kvm', '--xen-type', 'pv'],
    'is for the driver xen',
  ],
  [
    'workers with Xen',
    ['serve', 'examples/hello.ts', '--driver', 'xen', '--workers', '2'],
    'serves from one process',
  ],
  ['an unknown command of domain', ['domain', 'distroy', 'web'], 'Did you mean destroy?'],
  ['no domain', ['domain', 'pause'], "missing required argument 'domain'"],
  ['a file that does not exist', ['domain', 'create', 'no-such.cfg'], 'no-such.cfg cannot be read'],
  ['a variable without a value', ['run', 'a.ts', '--env', 'NAME'], 'KEY=VALUE'],
  ['a file that does not exist', ['run', 'no-such.ts'], 'does not exist'],
  ['a folder', ['run', '.'], 'is not a file'],
];

for (const [what, args, message] of WRONG) {
  t.test(`${what}: code 2, and what is right`, async (t) => {
    const plain = await hatchery(args);
    t.equal(plain.code, 2);
    t.equal(plain.stdout, '');
    t.match(plain.stderr, message);
  });
}

t.test(
  'Xen where there is none: code 3, and what to do',
  {
    skip: findObstacle() === undefined && 'this is a Dom0',
  },
  async (t) => {
    for (const command of ['run', 'serve']) {
      const { code, stdout } = await hatchery([
        ...[command, 'examples/hello.ts', '--driver', 'xen', '--json'],
      ]);
      t.equal(code, 3);
      t.match(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''), {
        error: { code: 'XEN_UNAVAILABLE', message: /docs\/xen\.md/ },
      });
    }
  },
);

t.test('with --json an error is one object on standard output', async (t) => {
  for (const args of [
    ['serve', 'a.ts', '--port', 'x', '--json'],
    ['run', 'no-such.ts', '--json'],
    ['sevre', '--json'],
    ['domain', 'create', 'no-such.cfg', '--json'],
  ]) {
    const { code, stdout } = await hatchery(args);
    t.equal(code, 2);
    t.match(JSON.parse(stdout), { error: { code: 'INVALID_ARGUMENT', message: String } });
  }
});

t.test('version', async (t) => {
  const plain = await hatchery(['version']);
  t.match(plain.stdout, /^hatchery \d+\.\d+\.\d+ \(Node \d+/);
  const json = await hatchery(['version', '--json']);
  t.equal(json.code, 0);
  t.match(JSON.parse(json.stdout), { hatchery: /^\d+\.\d+\.\d+$/, node: process.versions.node });
  const option = await hatchery(['--version']);
  t.match(option.stdout, /^\d+\.\d+\.\d+\n$/);
});
