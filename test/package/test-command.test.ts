/** What `npm test` makes of test files: none may be lost, skipped in silence, or empty. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runToEnd } from '../cli/command.js';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs test files as `npm test` does, with and without KVM; prints the report and the totals. */
const RUN = `
  import { runTapFile } from '${CHECKOUT}/scripts/testing/tap-file.mjs';
  import { reportFile, Totals } from '${CHECKOUT}/scripts/testing/report.mjs';
  const [kvm, ...files] = process.argv.slice(2);
  const totals = new Totals();
  for (const file of files) reportFile(totals, await runTapFile(file, {}), kvm === 'kvm');
  console.log(String(totals));
`;

const FILES = {
  'passes.js': `import t from 'tap';
    t.test('one', async (t) => { t.ok(1); t.test('deep', async (t) => { t.ok(1); }); });
    t.test('two', async (t) => t.equal(1, 1));`,
  'fails.js': `import t from 'tap';
    t.test('outer', async (t) => { t.ok(1); t.equal(1, 2, 'numbers'); });`,
  'throws.js': `import t from 'tap';
    t.test('first', async (t) => { t.ok(1); });
    throw new Error('thrown outside');`,
  'empty.js': '',
  'exits.js': `import t from 'tap'; t.ok(1); t.end(); process.exitCode = 7;`,
  'dies.js': `import t from 'tap';
    t.test('dies', async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); });`,
  'skips.js': `import t from 'tap';
    t.test('machine', { skip: 'needs KVM: /dev/kvm is missing' }, async () => {});
    t.test('user', { skip: 'needs root' }, async () => {});
    t.ok(1);`,
};

t.test('npm test', async (t) => {
  const folder = t.testdir({ ...FILES, 'run.mjs': RUN });
  const run = async (kvm: 'kvm' | 'none', file: keyof typeof FILES) => {
    const ended = await runToEnd([process.execPath, `${folder}/run.mjs`, kvm, `${folder}/${file}`]);
    t.equal(ended.code, 0, ended.stderr);
    return { report: ended.stdout, last: ended.stdout.trimEnd().split('\n').at(-1) };
  };

  t.equal((await run('kvm', 'passes.js')).last, '3 passed, 0 failed');

  const fails = await run('kvm', 'fails.js');
  t.equal(fails.last, '1 passed, 1 failed');
  t.match(fails.report, 'not ok outer > numbers');
  t.match(fails.report, /-2\s+\+1/, 'the difference');
  t.match(fails.report, 'fails.js:2', 'the place');

  const thrown = await run('kvm', 'throws.js');
  t.notMatch(thrown.last, ' 0 failed');
  t.match(thrown.report, 'thrown outside');

  t.equal((await run('kvm', 'empty.js')).last, '0 passed, 1 failed');
  t.equal((await run('kvm', 'exits.js')).last, '1 passed, 1 failed');

  const dies = await run('kvm', 'dies.js');
  t.notMatch(dies.last, ' 0 failed');
  t.match(dies.report, 'not ok');

  const without = await run('none', 'skips.js');
  t.equal(without.last, '1 passed, 0 failed, 2 skipped');
  t.match(without.report, 'SKIPPED machine: needs KVM: /dev/kvm is missing');
  const withKvm = await run('kvm', 'skips.js');
  t.equal(withKvm.last, '1 passed, 1 failed, 1 skipped');
  t.match(withKvm.report, 'although KVM works here');
});
