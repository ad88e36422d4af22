import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Tally } from '../../src/cli/remote/tally.js';
import { noDriver } from '../drivers/default-driver.js';
import { hatchery, MAIN, Served } from './command.js';
import { ECHO, NO_SYNTAX, STARTUP_THROWS, says } from './functions.js';

t.test('a server and its command line', { skip: noDriver }, async (t) => {
  const folder = t.testdir({
    'greeter.ts': ECHO,
    'lib.ts': 'export const place: string = "in lib";',
    'throws.ts':
      "import { place } from './lib';\nexport default { fetch() { throw new Error(place); } };",
    'broken.ts': NO_SYNTAX,
    'early.ts': STARTUP_THROWS,
    'two.ts': says('two'),
    '.secrets': 'KEY=hush-hush-42\n',
  });
  const data = `${folder}/data`;
  const up = () => new Served(['--control-port', '0', '--data', data], {}, [MAIN], 'up');
  let server = up();
  t.teardown(() => server.stop());
  let listening = await server.next('listening');
  const env = () => ({
    HATCHERY_SERVER: listening.control as string,
    HATCHERY_TOKEN: readFileSync(`${data}/token`, 'utf8').trim(),
  });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await hatchery([...args, '--json'], {
      env: env(),
      cwd: folder,
    });
    const lines = stdout
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    return {
      code,
      stderr,
      last: lines.length === 0 ? {} : JSON.parse(lines.at(-1) as string),
      lines,
    };
  };
  const get = async (path: string) => (await fetch(`${listening.url}${path}`)).text();

  t.test('deploy, see it, call it, roll it back', async (t) => {
    t.equal(statSync(data).mode & 0o777, 0o700);
    t.same(listening.functions, []);
    t.equal(listening.page, `${listening.url}/zerg`);
    t.match(await get('/zerg'), /^<!doctype html>/);
    const { code, last } = await run(
      ...['function', 'deploy', 'greeter.ts', '--env', 'A=1', '--secret-file', '.secrets'],
      ...['--bind', 'hi.example.com', '--wall-ms', '2000'],
    );
    t.equal(code, 0);
    t.match(last, { event: 'deployed', name: 'greeter', version: 1, routes: { length: 3 } });
    t.match(JSON.parse(await get('/greeter/x')), { env: { A: '1', KEY: 'hush-hush-42' } });
    t.match((await run('function', 'deploy', 'two.ts', '--name', 'greeter')).last, { version: 2 });
    t.equal(await get('/greeter/'), 'two');
    t.match((await run('function', 'rollback', 'greeter')).last, { version: 1 });
    t.match(JSON.parse(await get('/greeter/')), { env: { A: '1' } });
    t.match((await run('function', 'rollback', 'greeter', '--to', '2')).last, { version: 2 });
    const listed = await run('function', 'ls');
    t.match(listed.last, { functions: [{ name: 'greeter', version: 2, state: 'serving' }] });
    t.match((await run('function', 'deploy', '--image', 'hello')).last, { name: 'hello' });
    t.match(await get('/hello/'), /hello/);
    const kept = await run('function', 'deploy', 'greeter.ts', '--keep-secret', 'KEY');
    t.match(
      kept,
      { code: 2, last: { error: { code: 'CONFIGURATION_INVALID' } } },
      'version 2 has none',
    );
  });

  t.test('what is wrong', async (t) => {
    const wrong: [string[], number, string][] = [
      [['function', 'deploy', 'broken.ts'], 4, 'BUNDLE_FAILED'],
      [['function', 'deploy', 'early.ts'], 4, 'STARTUP_FAILED'],
      [['function', 'deploy', 'none.ts'], 4, 'BUNDLE_FAILED'],
      [['function', 'deploy'], 2, 'INVALID_ARGUMENT'],
      [['function', 'deploy', 'image.elf'], 2, 'INVALID_ARGUMENT'],
      [['function', 'deploy', 'two.ts', '--image', 'hello'], 2, 'INVALID_ARGUMENT'],
      [['function', 'deploy', 'two.ts', '--name', 'zerg'], 2, 'CONFIGURATION_INVALID'],
      [['function', 'rm', 'none'], 2, 'FUNCTION_MISSING'],
      [['function', 'rm', 'zerg'], 2, 'FUNCTION_MISSING'],
      [['function', 'rollback', 'hello'], 2, 'VERSION_MISSING'],
      [['function', 'logs', 'none'], 2, 'FUNCTION_MISSING'],
      [['instance', 'spawn', 'none'], 2, 'FUNCTION_MISSING'],
      [['instance', 'kill', 'none'], 2, 'INSTANCE_UNKNOWN'],
      [['instance', 'request', 'none', '--request', '{'], 2, 'INVALID_ARGUMENT'],
      [['token', 'create', 'x'], 2, 'INVALID_ARGUMENT'],
      [['token', 'create', 'x', '--scope', 'all'], 2, 'CONFIGURATION_INVALID'],
      [['token', 'rm', '000000000000'], 2, 'TOKEN_UNKNOWN'],
      [['function', 'ls', '--token', 'x'], 2, 'TOKEN_INVALID'],
      [['function', 'ls', '--server', 'http://127.0.0.1:1'], 1, 'UNREACHABLE'],
    ];
    for (const [args, code, error] of wrong) {
      t.match(await run(...args), { code, last: { error: { code: error } } }, args.join(' '));
    }
    const { code, stderr } = await hatchery(['function', 'ls'], {
      env: { ...env(), HATCHERY_TOKEN: undefined, XDG_DATA_HOME: '/nonexistent' },
    });
    t.equal(code, 2);
    t.match(stderr, 'TOKEN_MISSING');
  });

  t.test('the token is found in the data folder', async (t) => {
    const found = await hatchery(
      ['function', 'ls', '--data', data, '--server', String(listening.control)],
      {
        env: { HATCHERY_TOKEN: undefined, HATCHERY_SERVER: undefined },
      },
    );
    t.equal(found.code, 0);
    t.match(found.stdout, /^NAME +VERSION/);
    t.notMatch(found.stdout + found.stderr, 'hush-hush');
  });

  t.test('logs name the file and the line', async (t) => {
    await run('function', 'deploy', 'throws.ts');
    await get('/throws/');
    await sleep(300);
    const { last } = await run('function', 'logs', 'throws');
    t.match(last, { level: 'error', text: /in lib[\s\S]*throws\.ts:2/ });
    const { stdout } = await hatchery(['function', 'logs', 'throws', '--tail', '1'], {
      env: env(),
    });
    t.match(stdout, /error .*throws\.ts:2/s);
    t.notMatch(stdout, folder, 'not where it was on the machine that deployed it');
  });

  t.test('instances', async (t) => {
    const { last: spawned } = await run('instance', 'spawn', 'greeter', '--idle', '60000');
    t.match(spawned, { event: 'spawned', state: 'ready', function: 'greeter' });
    const asked = await run('instance', 'request', spawned.id, '--request', '{"url":"/a"}');
    t.match(asked.last, { status: 200, body: 'two', timeline: { guest: Number } });
    const plain = await hatchery(['instance', 'request', spawned.id], { env: env() });
    t.equal(plain.stdout, 'two');
    t.match(plain.stderr, /^200\n/);
    t.match((await run('instance', 'ls')).last, { instances: [{ id: spawned.id, requests: 2 }] });
    t.match((await run('instance', 'logs', spawned.id)).code, 0);
    t.match((await run('instance', 'kill', spawned.id)).last, { event: 'killed' });
    t.match((await run('instance', 'ls')).last, { instances: [] });
    t.match((await run('instance', 'ls', '--ended')).last, {
      instances: [{ reason: 'it was killed' }],
    });
  });

  t.test('tokens', async (t) => {
    const { last: created } = await run('token', 'create', 'reader', '--scope', 'read');
    const asReader = (...args: string[]) => run(...args, '--token', created.token);
    t.equal((await asReader('function', 'ls')).code, 0);
    t.match((await asReader('function', 'rm', 'hello')).last, { error: { code: 'SCOPE_MISSING' } });
    t.match((await run('token', 'ls')).last, { tokens: [{ name: 'first' }, { name: 'reader' }] });
    await run('token', 'rm', created.id);
    t.match((await asReader('function', 'ls')).last, { error: { code: 'TOKEN_INVALID' } });
  });

  t.test('events and top', async (t) => {
    const events = run('events', '--count', '2', '--function', 'greeter');
    const top = run('top', '--count', '2');
    let watching = true;
    const load = (async () => {
      while (watching) {
        await get('/greeter/');
        await sleep(20);
      }
    })();
    const [seen, table] = await Promise.all([events, top]);
    watching = false;
    await load;
    t.equal(seen.lines.length, 2);
    t.match(seen.last, { type: 'served', function: 'greeter', timeline: { guest: Number } });
    t.equal(table.lines.length, 2);
    t.match(table.last, {
      functions: [{ function: 'greeter', requestsPerSecond: Number, p50: Number, p99: Number }],
    });
  });

  t.test('all of it is there after a kill', async (t) => {
    server.kill('SIGKILL');
    await server.end;
    server = up();
    listening = await server.next('listening');
    t.same(listening.functions, ['greeter', 'hello', 'throws']);
    t.same(listening.failed, []);
    t.equal(await get('/greeter/'), 'two');
    const other = new Served(['--control-port', '0', '--data', data], {}, [MAIN], 'up');
    t.match((await other.next('error')).error, { code: 'DATA_IN_USE' });
    t.equal((await other.end).code, 2);
  });

  t.test('it ends as it should', async (t) => {
    const { code, stderr } = await server.stop();
    t.equal(code, 0);
    t.notMatch(stderr, 'hush-hush');
    t.notMatch(stderr, env().HATCHERY_TOKEN.split('_')[2] as string);
  });
});

t.test('a tally', async (t) => {
  const tally = new Tally();
  for (let count = 1; count <= 100; count += 1) {
    tally.add({
      type: 'served',
      at: 0,
      function: 'a',
      timeline: { guest: count / 2, reply: count / 2 },
    });
  }
  tally.add({ type: 'crashed', at: 0, function: 'b' });
  tally.add({ type: 'deployed', at: 0, function: 'c' });
  tally.add({ type: 'omitted', at: 0, count: 7 });
  t.same(tally.take(2), {
    rows: [
      { function: 'a', requestsPerSecond: 50, p50: 50, p99: 99, refused: 0, killed: 0, crashed: 0 },
      {
        function: 'b',
        requestsPerSecond: 0.5,
        p50: null,
        p99: null,
        refused: 0,
        killed: 0,
        crashed: 1,
      },
    ],
    omitted: 7,
  });
  t.same(tally.take(2), { rows: [], omitted: 0 });
});
