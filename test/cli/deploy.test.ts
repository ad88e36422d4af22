/** `hatchery deploy`: whatever a function is made of comes to a server, is served, and stays. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { GREETING_MODULE, noSdk, SDK } from '../image/guest-sdk.js';
import { hatchery, MAIN, Served } from './command.js';
import { NO_SYNTAX, says } from './functions.js';

/** Answers with a file of /srv, if there is one, a variable, and its last argument. */
const PROGRAM = `#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) {
  char line[80] = "no file";
  FILE *file = fopen("/srv/page.txt", "r");
  if (file) fgets(line, sizeof line, file);
  const char *mode = getenv("MODE");
  printf("Content-Type: text/plain\\n\\n%s, %s, %s", line, mode ? mode : "-", words[count - 1]);
  return 0;
}`;
const SCRIPT =
  'function handle(request) return "lua " .. request.path .. " " .. os.getenv("A") end';

t.test('everything that can be deployed', { skip: noSdk || noDriver }, async (t) => {
  const folder = t.testdir({
    'greet.wat': GREETING_MODULE,
    'main.c': PROGRAM,
    'app.lua': SCRIPT,
    'wrong.lua': 'function handle(',
    'wrong.ts': NO_SYNTAX,
    'wrong.c': 'int main(void) { return x; }',
    'app.ts': says('typescript'),
    'image.elf': 'x',
    public: { 'page.txt': 'page' },
    greet: {},
  });
  const data = `${folder}/data`;
  const up = () =>
    new Served(
      ['--control-port', '0', '--data', data, '--max-image', '64MiB'],
      { XDG_DATA_HOME: `${folder}/theirs` },
      [MAIN],
      'up',
    );
  let server = up();
  t.teardown(() => server.stop());
  let listening = await server.next('listening');
  const env = () => ({
    XDG_DATA_HOME: `${folder}/mine`,
    HATCHERY_SDK: SDK,
    HATCHERY_SERVER: String(listening.control),
    HATCHERY_TOKEN: readFileSync(`${data}/token`, 'utf8').trim(),
  });
  const run = async (...args: string[]) => {
    const options = { env: env(), cwd: folder };
    const { code, stdout, stderr } = await hatchery([...args, '--json'], options);
    return { code, stderr, last: JSON.parse(stdout.trim().split('\n').at(-1) ?? '') };
  };
  const get = async (path: string) => (await fetch(`${listening.url}${path}`)).text();

  t.test('a module', async (t) => {
    const { code, last } = await run('deploy', 'greet.wat', '--bind', 'hi.example.com');
    t.match({ code, last }, { code: 0, last: { event: 'deployed', name: 'greet', version: 1 } });
    t.match(last.uploaded, { digest: /^sha256:/, blobs: 2, bytes: Number });
    t.match(last.routes.at(-1), 'hi.example.com');
    t.equal(await get('/greet/'), 'hello from a module\n');
    const again = await run('function', 'deploy', 'greet.wat', '--memory', '32MiB');
    t.match(again.last, { version: 2, uploaded: { blobs: 0, bytes: 0 } }, 'nothing is sent twice');
    t.match((await run('function', 'rollback', 'greet')).last, { version: 1 });
  });

  t.test('a C program, with files, variables and words', async (t) => {
    const flags = ['--dir', 'public:/srv', '--env', 'MODE=live', '--word', 'last'];
    const { last } = await run('deploy', 'main.c', '--name', 'c-program', ...flags);
    t.match(last, { name: 'c-program', version: 1 });
    t.equal(await get('/c-program/'), 'page, live, last');
    const bare = await hatchery(['deploy', 'main.c'], { env: env(), cwd: folder });
    t.match(bare.stdout, /^Deployed version 1 of main in/);
    t.match(bare.stderr, /Sent main: \d+\.\d MiB in/);
    t.match(await get('/main/'), 'no file, -');
  });

  t.test('a script in Lua', async (t) => {
    const { last } = await run('deploy', 'app.lua', '--env', 'A=1', '--name', 'script');
    t.match(last, { name: 'script', version: 1, uploaded: undefined });
    t.equal(await get('/script/x'), 'lua /x 1');
    writeFileSync(`${folder}/app.lua`, 'return function() return "second" end');
    t.match((await run('deploy', 'app.lua', '--name', 'script')).last, { version: 2 });
    t.equal(await get('/script/'), 'second');
    t.match((await run('function', 'rollback', 'script')).last, { version: 1 });
    t.equal(await get('/script/x'), 'lua /x 1');
    t.match((await run('function', 'ls')).last.functions.at(-1), { name: 'script', image: 'lua' });
    const { last: spawned } = await run('instance', 'spawn', 'script', '--memory', '32MiB');
    const asked = await run('instance', 'request', spawned.id, '--request', '{"url":"/y"}');
    t.match(asked.last, { status: 200, body: 'lua /y 1' }, 'one with memory of its own');
  });

  t.test('an image of one’s own, by its name and its digest', async (t) => {
    const built = await run('image', 'build', 'greet.wat', '--name', 'greeter');
    const { digest } = built.last;
    t.match((await run('deploy', 'greeter')).last, { name: 'greeter', uploaded: { digest } });
    t.match((await run('deploy', digest)).last, { name: /^greet/, uploaded: { digest } });
    t.match((await run('deploy', digest, '--name', 'other')).last, { name: 'other', version: 1 });
    t.equal(await get('/other/'), 'hello from a module\n');
    t.match((await run('deploy', 'greet')).last, { name: 'greet' }, 'though a folder has its name');
    t.match((await run('deploy', 'hello')).last, { name: 'hello', uploaded: undefined });
    t.match(await get('/hello/'), /hello/);
    const there = await run('deploy', '--image', digest, '--name', 'there');
    t.match(there.last, { name: 'there', uploaded: undefined }, 'the server has it');
    const spawned = await run('instance', 'spawn', '--image', digest);
    t.match(spawned.last, { state: 'ready' });
  });

  t.test('TypeScript as ever', async (t) => {
    t.match((await run('deploy', 'app.ts')).last, { name: 'app', version: 1 });
    t.equal(await get('/app/'), 'typescript');
  });

  t.test('what is wrong', async (t) => {
    writeFileSync(`${folder}/latin.lua`, Buffer.from([0x2d, 0x2d, 0xe9]));
    const wrong: [string[], number, string][] = [
      [['deploy', 'wrong.lua'], 4, 'STARTUP_FAILED'],
      [['deploy', 'wrong.ts'], 4, 'BUNDLE_FAILED'],
      [['deploy', 'wrong.c'], 4, 'BUILD_FAILED'],
      [['deploy', 'latin.lua'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'none.wasm'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'none.lua'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'image.elf'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'none'], 2, 'IMAGE_UNKNOWN'],
      [['deploy', `sha256:${'0'.repeat(64)}`], 2, 'IMAGE_UNKNOWN'],
      [['deploy'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'app.ts', '--image', 'hello'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'app.ts', '--dir', 'public'], 2, 'INVALID_ARGUMENT'],
      [['deploy', 'app.lua', '--dir', 'public'], 2, 'INVALID_ARGUMENT'],
      [['deploy', '--image', 'greeter'], 3, 'IMAGE_MISSING'],
      [['deploy', '--image', 'lua'], 2, 'CONFIGURATION_INVALID'],
      [['deploy', 'greeter', '--keep-secret', 'KEY'], 2, 'CONFIGURATION_INVALID'],
      [['deploy', 'greeter', '--token', 'x'], 2, 'TOKEN_INVALID'],
      [['deploy', 'greeter', '--server', 'http://127.0.0.1:1'], 1, 'UNREACHABLE'],
    ];
    for (const [args, code, error] of wrong) {
      t.match(await run(...args), { code, last: { error: { code: error } } }, args.join(' '));
    }
  });

  t.test('a restart keeps all of it, also one by kill -9', async (t) => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await server.stop(signal);
      server = up();
      listening = await server.next('listening');
      t.same(listening.failed, []);
      t.equal(await get('/greet/'), 'hello from a module\n');
      t.equal(await get('/c-program/'), 'page, live, last');
      t.equal(await get('/script/x'), 'lua /x 1');
      t.equal(await get('/app/'), 'typescript');
    }
    t.match((await run('function', 'rollback', 'script', '--to', '2')).last, { version: 2 });
    t.equal(await get('/script/'), 'second');
  });
});

t.test(
  'a server that serves such a file from its start',
  { skip: noSdk || noDriver },
  async (t) => {
    const folder = t.testdir({ 'greet.wat': GREETING_MODULE, 'app.lua': SCRIPT });
    for (const [file, text] of [
      ['greet.wat', 'hello from a module\n'],
      ['app.lua', /attempt to concatenate a nil|FUNCTION_THREW|threw/],
    ] as const) {
      for (const version of [1, 1]) {
        const server = new Served(
          ['--control-port', '0', '--data', `${folder}/data`, '--deploy', `${folder}/${file}`],
          { XDG_DATA_HOME: `${folder}/mine`, HATCHERY_SDK: SDK },
          [MAIN],
          'up',
        );
        const { url, control } = await server.next('listening');
        t.match(await (await fetch(`${url}/`)).text(), text);
        const token = readFileSync(`${folder}/data/token`, 'utf8').trim();
        const listed = await hatchery(['function', 'ls', '--json', '--server', String(control)], {
          env: { HATCHERY_TOKEN: token },
        });
        const name = file.split('.')[0];
        const { functions } = JSON.parse(listed.stdout);
        t.match(
          functions.find((one: { name: string }) => one.name === name),
          { version },
          'the same again is no new version',
        );
        await server.stop();
      }
    }
  },
);
