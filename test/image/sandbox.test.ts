/** What compilers may do with what a stranger wrote: read it, and write to a folder of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandFailure, Sandbox, type SandboxOptions } from '../../src/image/build/sandbox.js';
import { loadProcessAddon } from '../../src/supervisor/process-native.js';
import { workerUser } from '../../src/supervisor/user.js';

const { landlock } = loadProcessAddon().walls();
const noLandlock =
  landlock === 0 && 'this kernel has no Landlock: the files of the user are in reach';
const isRoot = process.getuid?.() === 0;

async function open(t: Test, limits: SandboxOptions['limits'] = {}): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ user: workerUser(undefined), limits });
  t.teardown(() => sandbox.close());
  return sandbox;
}

/** Compiles C with gcc, as a build script would. */
async function compile(t: Test, source: string, ...flags: string[]): Promise<string> {
  const sandbox = await open(t, { wallMilliseconds: 10_000, cpuSeconds: 1 });
  const path = await sandbox.addInput('main.c', Buffer.from(source));
  try {
    await sandbox.run(['gcc', '-c', ...flags, path, '-o', `${sandbox.outputs}/main.o`]);
    return (await sandbox.readOutput('main.o')).toString('latin1');
  } catch (error) {
    t.ok(error instanceof CommandFailure, String(error));
    return `failed: ${(error as Error).message}`;
  }
}

t.test('a program is compiled, and what is wrong with it is told', async (t) => {
  t.match(await compile(t, 'int main(void) { return 0; }\n'), /^\x7fELF/);
  t.match(
    await compile(t, '#include <stdio.h>\nint main(void) { return x; }\n'),
    /failed: it failed\nmain\.c: In function 'main':\nmain\.c:2:\d+: error: 'x' undeclared/,
  );
});

const secret = `${t.testdir({ 'secret.h': '#error THE SECRET OF THE HOST\n' })}/secret.h`;

const READS: [string, string, string[]][] = [
  ['#include of /etc/passwd', '#include "/etc/passwd"\n', []],
  ['#include of /etc/shadow', '#include "/etc/shadow"\n', []],
  ['#include of a file of the user', `#include "${secret}"\n`, []],
  ['a path with ..', `#include "../../../../../../../../${secret}"\n`, []],
  ['.incbin', '__asm__(".incbin \\"/etc/passwd\\"");\n', []],
  ['.include', `__asm__(".include \\"${secret}\\"");\n`, []],
  ['#include of the environment', '#include "/proc/self/environ"\n', []],
  ['#include of the memory', '#include "/proc/self/maps"\n', []],
  ['an option to include', '', ['-include', '/etc/passwd']],
  ['a file of options', '', ['@/etc/passwd']],
  ['specs', '', [`-specs=${secret}`]],
];
for (const [what, source, flags] of READS) {
  t.test(`${what} reads nothing`, { skip: noLandlock }, async (t) => {
    const said = await compile(t, source, ...flags);
    t.match(said, /^failed: /);
    t.match(said, /Permission denied|can't open|cannot read|No such file|not found/);
    t.notMatch(said, /THE SECRET|root:x/);
  });
}

t.test('a plug-in of the inputs is not run', { skip: noLandlock }, async (t) => {
  const sandbox = await open(t);
  const evil = await sandbox.addInput('evil', Buffer.from('#!/bin/sh\necho ran >&2\n'), 0o755);
  await sandbox.addInput('cc1', Buffer.from('#!/bin/sh\necho ran >&2\n'), 0o755);
  const path = await sandbox.addInput('main.c', Buffer.from('int x;'));
  for (const flags of [[`-wrapper`, evil], [`-B${dirname(evil)}`], [`-fplugin=${evil}`]]) {
    const failure = await sandbox.run(['gcc', '-c', ...flags, path]).then(
      () => undefined,
      (error: CommandFailure) => error,
    );
    t.notMatch(failure?.complaint ?? '', /^ran/m, flags.join(' '));
  }
});

t.test('it writes to its own folders only', { skip: noLandlock }, async (t) => {
  const sandbox = await open(t);
  const target = `${t.testdir({})}/stolen`;
  for (const place of [target, '/tmp/hatchery-stolen', `${sandbox.inputs}/x`, '/dev/shm/stolen']) {
    await t.rejects(sandbox.run(['touch', place]), /Permission denied|Read-only/, place);
    t.notOk(existsSync(place));
  }
  await sandbox.run([
    'bash',
    '-c',
    'echo text > a && mkdir b && mv a b/c && rm -r b && ls /dev/null',
  ]);
  t.same(readdirSync(sandbox.work), []);
});

t.test('it has no network and no other process', async (t) => {
  const sandbox = await open(t);
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await t.rejects(sandbox.run(['bash', '-c', `: < /dev/tcp/127.0.0.1/${port}`]));
  await t.rejects(sandbox.run(['bash', '-c', `kill -0 ${process.pid}`]), /not permitted/);
  const environment = await sandbox.run(['env']);
  t.notMatch(environment, process.env.HOME === '/' ? '^$' : `HOME=${process.env.HOME}`);
  if (isRoot) {
    t.not((await sandbox.run(['id', '-u'])).trim(), '0');
  }
});

t.test('a link is not read as an output', async (t) => {
  const sandbox = await open(t);
  await sandbox.run(['ln', '-s', '/etc/hostname', `${sandbox.outputs}/a`]).catch(() => {});
  await sandbox.run(['mkfifo', `${sandbox.outputs}/b`]).catch(() => {});
  await sandbox.run(['mkdir', `${sandbox.outputs}/c`]);
  for (const name of ['a', 'b', 'c', 'missing']) {
    await t.rejects(sandbox.readOutput(name), CommandFailure, name);
  }
  await sandbox.run(['bash', '-c', `echo 12345 > ${sandbox.outputs}/d`]);
  await t.rejects(sandbox.readOutput('d', 3), /larger than 3/);
  t.equal(String(await sandbox.readOutput('d')), '12345\n');
});

t.test('what goes on and on is ended', async (t) => {
  const bomb = '#include __FILE__\n#include __FILE__\n';
  t.match(await compile(t, bomb), /^failed: .*(took longer|processor time|nested|Killed|failed)/s);
  const grows = `#define A(x) x x x x x x x x
    #define B(x) A(A(A(A(x))))
    const char *text = B(B(B("0123456789abcdef")));\n`;
  t.match(await compile(t, grows), /^failed: /);
  const hasty = await open(t, { wallMilliseconds: 300 });
  await t.rejects(hasty.run(['sleep', '60']), /took longer than 0\.3 s/);
  const brief = await open(t, { cpuSeconds: 1 });
  await t.rejects(brief.run(['bash', '-c', 'while :; do :; done']), /more than 1 s of processor/);
});

t.test('what is stopped is ended, with all that it started', async (t) => {
  const stop = new AbortController();
  const sandbox = await Sandbox.create({ user: workerUser(undefined), signal: stop.signal });
  t.teardown(() => sandbox.close());
  const running = sandbox.run(['bash', '-c', 'sleep 61.25 & echo > started; sleep 61.5; :']);
  while (!existsSync(`${sandbox.work}/started`)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stop.abort();
  await t.rejects(running, /it was stopped/);
  await t.rejects(sandbox.run(['true']), /it was stopped/, 'and nothing is begun');
  const left = readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('sleep\0' + '61.');
    } catch {
      return false;
    }
  });
  t.same(left, []);
});

t.test('what grows and grows is ended', async (t) => {
  const small = await open(t, { fileBytes: 1 << 20 });
  await t.rejects(
    small.run(['bash', '-c', 'exec head -c 2000000 /dev/zero > big'], ['/dev/zero']),
    /more than 1 MiB|too large/,
  );
  const full = await open(t, { workBytes: 4 << 20, fileBytes: 1 << 20 });
  const fills = 'for ((i = 0; ; i++)); do head -c 1000000 /dev/zero > $i; sleep 0.02; done';
  await t.rejects(full.run(['bash', '-c', fills], ['/dev/zero']), /more than 4 MiB/);
  const loud = await open(t);
  await t.rejects(loud.run(['yes']), /printed too much/);
});

t.test('nothing of it stays', async (t) => {
  const sandbox = await Sandbox.create({ user: workerUser(undefined) });
  const folder = dirname(sandbox.inputs);
  await sandbox.addInput('a/b/c.h', Buffer.from('x'));
  t.equal(statSync(`${sandbox.inputs}/a/b/c.h`).mode & 0o777, 0o644);
  await sandbox.run(['bash', '-c', 'mkdir -p x/y && echo > x/y/z']);
  await sandbox.close();
  t.notOk(existsSync(folder));
});

t.test('what a build that was killed has left is removed by the next', async (t) => {
  const temporary = mkdtempSync(join(tmpdir(), 'leftovers-'));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(temporary, { recursive: true });
  });
  const module = new URL('../../src/image/build/sandbox.js', import.meta.url);
  const program = (then: string) => `
    import { Sandbox } from ${JSON.stringify(module)};
    const sandbox = await Sandbox.create({ user: undefined });
    await sandbox.addInput('a.c', Buffer.from('x'));
    console.log(sandbox.work);
    ${then}`;
  const start = (then: string) =>
    spawn(process.execPath, ['--input-type=module', '-e', program(then)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const workOf = async (child: ReturnType<typeof start>) =>
    String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0]).trim();
  const living = start('setInterval(() => {}, 1000);');
  const lives = dirname(await workOf(living));
  const killed = start("process.kill(process.pid, 'SIGKILL');");
  const [left] = await Promise.all([workOf(killed), once(killed, 'close')]);
  t.ok(existsSync(dirname(left)), 'it is left');
  t.ok(existsSync(lives), 'the next has not touched what belongs to a process that lives');

  const busy = spawn('sleep', ['60'], { cwd: left });
  await once(busy, 'spawn');
  mkdirSync(`${temporary}/hatchery-build-young`);
  mkdirSync(`${temporary}/hatchery-build-old`);
  utimesSync(`${temporary}/hatchery-build-old`, 0, 0);
  mkdirSync(`${temporary}/other`);
  writeFileSync(`${temporary}/other/kept`, '');
  symlinkSync(`${temporary}/other`, `${temporary}/hatchery-build-link`);
  const names = async () => {
    await (await Sandbox.create({ user: workerUser(undefined) })).close();
    return readdirSync(temporary).sort();
  };
  const kept = [basename(lives), 'hatchery-build-link', 'hatchery-build-young', 'other'];
  t.strictSame(await names(), [...kept, basename(dirname(left))].sort(), 'a compiler is at work');
  busy.kill('SIGKILL');
  await once(busy, 'close');
  t.strictSame(await names(), [...kept].sort());
  t.strictSame(readdirSync(`${temporary}/other`), ['kept'], 'nor through a link');
  living.kill('SIGKILL');
  await once(living, 'close');
  t.strictSame(await names(), kept.slice(1).sort());
});

t.test('terminals are not written to', async (t) => {
  const said = await compile(t, '#error \u001b[31mred\u0007\n');
  t.match(said, /red/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
  t.notMatch(said, /[\u0007\u001b]/);
});
