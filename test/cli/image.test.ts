/** `hatchery image …`, and functions of sources that become images: with an SDK that compiles nothing. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { COMMAND, fakeSdk } from '../image/fake-sdk.js';
import { hatchery, MAIN, Served } from './command.js';

const folder = t.testdir({
  'app.wat': COMMAND,
  'main.c': 'int main(void) { return 0; }\n',
  'bad.c': 'int main(void) { return x; }\n',
  'script.lua': 'function handle(request) end\n',
  'page.ts': 'export default { fetch: () => new Response("") };',
  www: { 'index.html': 'page' },
});
const env = { XDG_DATA_HOME: `${folder}/data`, HATCHERY_SDK: fakeSdk(`${folder}/sdk`) };
const run = (...args: string[]) => hatchery(args, { cwd: folder, env });
const json = async (...args: string[]) => {
  const { stdout, code } = await run(...args, '--json');
  return { code, ...JSON.parse(stdout) };
};

t.test('an image is built, listed, inspected', async (t) => {
  const built = await run('image', 'build', 'app.wat');
  t.equal(built.code, 0, built.stderr);
  t.match(built.stdout, /^Built in \d+ ms: app, \d+ KiB\n {2}sha256:[0-9a-f]{64}\n$/);
  t.match((await run('image', 'build', 'app.wat')).stdout, /^It was built before \(\d+ ms\): app/);
  const args = [
    'image',
    'build',
    'main.c',
    '--name',
    'c',
    '--memory',
    '32MiB',
    '--dir',
    'www:/srv',
  ];
  const { stdout } = await run(...args, '--json', '--', '-DX=1', '-lm', '--json');
  const c = JSON.parse(stdout);
  t.match(c, { event: 'built', name: 'c', wasBuilt: false, milliseconds: Number });
  t.match(
    (await run('image', 'ls')).stdout,
    /^NAME +DIGEST +KIND +KIB +MEMORY\napp .* wasm .* -\nc .* c .* 32MiB\n$/,
  );
  t.match(await json('image', 'ls'), {
    images: [{ name: 'app' }, { name: 'c', digest: c.digest }],
  });
  const shown = (await run('image', 'inspect', c.digest)).stdout;
  t.match(shown, /^name {8}c\n.*^given flags -DX=1 -lm --json\n.*^source {6}main\.c sha256:/ms);
  t.equal(statSync(`${env.XDG_DATA_HOME}/hatchery`).mode & 0o777, 0o700);
});

t.test('to a folder and back, removed and collected', async (t) => {
  t.equal((await run('image', 'push', 'app', 'pushed')).code, 0);
  const { digest } = (await json('image', 'inspect', 'app')).image;
  t.match(await json('image', 'rm', 'app'), { event: 'removed' });
  t.match(await json('image', 'gc'), { event: 'collected', blobs: 3 });
  t.match(await json('image', 'inspect', 'app'), { code: 2, error: { code: 'IMAGE_UNKNOWN' } });
  t.match(await json('image', 'pull', 'pushed'), { images: [{ name: 'app', digest }] });
  t.match(await json('image', 'pull', 'pushed', 'app'), { images: [{ name: 'app', digest }] });
  const blob = `${folder}/pushed/blobs/sha256/${digest.slice(7)}`;
  writeFileSync(blob, readFileSync(blob, 'utf8').replace('schemaVersion', 'schemaversion'));
  t.match(await json('image', 'pull', 'pushed'), { code: 3, error: { code: 'IMAGE_INVALID' } });
});

t.test('what is wrong', async (t) => {
  const wrong: [string[], number, string, RegExp][] = [
    [['build'], 2, 'INVALID_ARGUMENT', /give a source/],
    [['build', 'bad.c'], 4, 'BUILD_FAILED', /bad\.c:1:25/],
    [['build', 'app.wat', '--name', 'js'], 2, 'INVALID_ARGUMENT', /image of Hatchery itself/],
    [['build', 'app.wat', '--name', 'A/B'], 2, 'INVALID_ARGUMENT', /not a name/],
    [['rm', 'nowhere'], 2, 'IMAGE_UNKNOWN', /image ls/],
    [['build', 'app.wat', '--', '-O3'], 2, 'INVALID_ARGUMENT', /for C/],
  ];
  for (const [args, code, error, message] of wrong) {
    const dashes = args.indexOf('--');
    const at = dashes < 0 ? args.length : dashes;
    const { stdout, ...ended } = await hatchery(
      ['image', ...args.slice(0, at), '--json', ...args.slice(at)],
      { cwd: folder, env },
    );
    t.equal(ended.code, code, args.join(' '));
    t.match(JSON.parse(stdout), { error: { code: error, message } });
  }
  t.match(await json('run', 'page.ts', '--dir', 'www'), { code: 2, error: { message: /--dir/ } });
});

t.test('a signal stops a build', async (t) => {
  const script = '#!/bin/bash\necho > "$2/started"; sleep 60\n';
  const slow = { ...env, HATCHERY_SDK: fakeSdk(`${folder}/slow`, script), TMPDIR: `${folder}/tmp` };
  mkdirSync(slow.TMPDIR);
  chmodSync(slow.TMPDIR, 0o755);
  const child = spawn(MAIN, ['image', 'build', 'app.wat', '--name', 'slow'], {
    ...{ cwd: folder, env: { ...process.env, ...slow }, stdio: 'ignore' },
  });
  const ended = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
  const isStarted = () =>
    readdirSync(slow.TMPDIR).some((name) => existsSync(`${slow.TMPDIR}/${name}/work/started`));
  while (!isStarted()) {
    await sleep(50);
  }
  child.kill('SIGINT');
  t.equal(await ended, 'SIGINT');
  t.same(readdirSync(slow.TMPDIR), []);
});

t.test('a source is served in one line', { skip: noDriver }, async (t) => {
  for (const source of ['app.wat', 'main.c']) {
    const ran = await json('run', source, '--dir', 'www');
    t.match(ran, { code: 0, status: 200 }, source);
  }
  copyFileSync(`${folder}/main.c`, `${folder}/watched.c`);
  const served = new Served([`${folder}/watched.c`, '--watch', '--workers', '0'], env);
  t.teardown(() => served.stop());
  const { url } = await served.next('listening');
  t.equal((await fetch(String(url))).status, 200);
  writeFileSync(`${folder}/watched.c`, 'int main(void) { return 1; }\n');
  t.match(await served.next('redeployed'), { function: 'watched' });
});

t.test('a stored image is deployed by its name', { skip: noDriver }, async (t) => {
  t.equal((await run('image', 'build', 'app.wat', '--memory', '32MiB')).code, 0);
  const { digest } = (await json('image', 'inspect', 'app')).image;
  const data = `${folder}/kept`;
  const up = new Served(
    ['--control-port', '0', '--data', data, '--workers', '1'],
    env,
    undefined,
    'up',
  );
  t.teardown(() => up.stop());
  const { control, url } = await up.next('listening');
  const reach = {
    ...{ ...env, HATCHERY_SERVER: String(control) },
    HATCHERY_TOKEN: readFileSync(`${data}/token`, 'utf8').trim(),
  };
  for (const image of ['app', digest]) {
    const args = [
      'function',
      'deploy',
      '--name',
      'stored',
      '--image',
      image,
      '--word',
      'word',
      '--json',
    ];
    const { stdout, code } = await hatchery(args, { cwd: folder, env: reach });
    t.equal(code, 0, stdout);
    t.equal((await fetch(`${url}/stored/`)).status, 200);
  }
  const spawn = ['instance', 'spawn', '--image', 'app', '--json'];
  t.equal((await hatchery(spawn, { cwd: folder, env: reach })).code, 0);

  await run('image', 'build', 'app.wat', '--memory', '64MiB');
  const kept = await run('image', 'gc');
  t.match(kept.stdout, `Kept ${digest.slice(0, 19)}: stored needs it, of the server with the data`);
  t.match(await json('image', 'rm', digest), { code: 2, error: { code: 'IMAGE_IN_USE' } });
  t.equal((await up.stop()).code, 0);
  const again = new Served(
    ['--control-port', '0', '--data', data, '--workers', '1'],
    env,
    undefined,
    'up',
  );
  t.teardown(() => again.stop());
  const { url: front } = await again.next('listening');
  t.equal((await fetch(`${front}/stored/`)).status, 200, 'it is started again from its image');
  t.match(await json('image', 'rm', digest, '--force'), { code: 0, event: 'removed' });
});
