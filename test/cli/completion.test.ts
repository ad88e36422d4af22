/** The scripts that complete command lines, run by the shells that they are for. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { hatchery } from './command.js';

t.test('in bash', async (t) => {
  const { stdout, code } = await hatchery(['completion', 'bash']);
  t.equal(code, 0);
  const complete = async (...words: string[]) => {
    const script = `${stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
      COMP_CWORD=${words.length - 1}\n_hatchery\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    const done = await promisify(execFile)('bash', ['-c', script], {
      cwd: t.testdir({ 'app.ts': '' }),
    });
    return done.stdout.trim().split('\n');
  };
  t.same(await complete('hatchery', 'fun'), ['function']);
  t.same(await complete('hatchery', 'function', 'r'), ['rm', 'rollback']);
  t.same(await complete('hatchery', 'function', 'deploy', '--key'), ['']);
  t.same(await complete('hatchery', 'function', 'deploy', '--keep'), ['--keep-secret']);
  t.same(await complete('hatchery', 'function', 'deploy', 'ap'), ['app.ts']);
  t.same(await complete('hatchery', 'up', '--control-p'), ['--control-port']);
  t.ok((await complete('hatchery', '')).includes('top'));
  t.equal((await hatchery(['completion', 'tcsh'])).code, 2);
});

/** Types each argument and the key Tab in an interactive zsh, and prints what is on its terminal then. */
const TYPING = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'unsetopt zle_bracketed_paste; hatchery() { :; }; source "$SCRIPT"; PS1=re"ady> "'
for input in "$@"; do
  # Before, what is typed would be the terminal's, and Tab a character.
  zpty -r -m shell ignored '*ready> '
  zpty -n -w shell "$input"$'\\t'
  zpty -n -w shell $' END\\r'
  zpty -r -m shell seen '*END*'
  print -r -- "$seen"
done
zpty -d shell
`;

const isThere = spawnSync('zsh', ['-c', ':']).status === 0;

t.test('in zsh', { skip: !isThere && 'there is no zsh here' }, async (t) => {
  const { stdout, code } = await hatchery(['completion', 'zsh']);
  t.equal(code, 0);
  const folder = t.testdir({ script: stdout, typing: TYPING, 'app.ts': '' });
  const lines = [
    'hatchery fun',
    'hatchery function depl',
    'hatchery serve ap',
    'hatchery up --control-p',
  ];
  const done = await promisify(execFile)('zsh', ['-f', `${folder}/typing`, ...lines], {
    cwd: folder,
    env: { ...process.env, SCRIPT: `${folder}/script`, TERM: 'dumb' },
    timeout: 30_000,
  });
  t.match(done.stdout, 'hatchery function');
  t.match(done.stdout, 'hatchery function deploy');
  t.match(done.stdout, 'hatchery serve app.ts');
  t.match(done.stdout, 'hatchery up --control-port');
});
