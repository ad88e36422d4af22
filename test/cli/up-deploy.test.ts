/** `hatchery up --deploy FILE`: a file that is served from the start, and the dashboard's link. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { HatcheryClient } from '../../src/client/index.js';
import { defaultDriver, defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { hatchery, MAIN, Served } from './command.js';
import { NO_SYNTAX, says } from './functions.js';

t.test('a file that is served from the start', { skip: noDriver }, async (t) => {
  const folder = t.testdir({
    'one.ts': says('one'),
    'broken.ts': NO_SYNTAX,
    'zerg.ts': says('zerg'),
  });
  const data = `${folder}/data`;
  const up = (...args: string[]) =>
    new Served(['--control-port', '0', '--data', data, ...args], {}, [MAIN], 'up');
  const deployed = async (...args: string[]) => {
    const server = up('--deploy', `${folder}/one.ts`, ...args);
    t.teardown(() => server.stop());
    const listening = await server.next('listening');
    const reach = ['--server', String(listening.control), '--data', data, '--json'];
    const run = async (...command: string[]) => {
      const { code, stdout } = await hatchery([...command, ...reach], {
        env: { HATCHERY_SERVER: undefined, HATCHERY_TOKEN: undefined },
      });
      return { code, ...JSON.parse(stdout) };
    };
    const get = async (path: string) => (await fetch(`${listening.url}${path}`)).text();
    return { server, listening, run, get };
  };

  t.test('it answers at / and by its name, and is kept', async (t) => {
    const { server, listening, run, get } = await deployed('--self-test', '10');
    t.match(listening, {
      function: 'one',
      functions: ['one'],
      strategy: defaultStrategy,
      driver: defaultDriver,
    });
    t.match(listening.why, {
      driver: /^the first that works here/,
      strategy: new RegExp(`${defaultDriver} does fastest`),
    });
    t.equal(listening.dashboard, `${listening.control}/dashboard/`);
    t.notMatch(JSON.stringify(listening), 'code=', 'a link is made for those who ask only');
    t.match(await server.next('self-test'), { requests: 10, p50: Number, failed: 0 });
    t.equal(await get('/'), 'one');
    t.equal(await get('/one/'), 'one');
    t.match(await run('function', 'ls'), { functions: [{ name: 'one', version: 1 }] });
    t.equal((await server.stop()).code, 0);
  });

  t.test('what answers already is no new version', async (t) => {
    const { server, listening, run, get } = await deployed();
    t.match(listening, { function: 'one', strategy: defaultStrategy });
    t.equal(await get('/'), 'one');
    t.match((await run('function', 'ls')).functions, [{ version: 1, versions: { length: 1 } }]);
    t.equal((await server.stop()).code, 0);
  });

  t.test('what was changed is one', async (t) => {
    writeFileSync(`${folder}/one.ts`, says('changed'));
    const { run, get, server } = await deployed();
    t.equal(await get('/'), 'changed');
    t.match((await run('function', 'ls')).functions, [{ version: 2 }]);
    await run('function', 'rollback', 'one');
    t.equal(await get('/'), 'one', 'the path / follows what the function is');
    t.equal((await server.stop()).code, 0);
    const again = await deployed();
    t.equal(await again.get('/'), 'changed', 'the file is what is served');
    t.equal((await again.server.stop()).code, 0);
  });

  t.test("the dashboard's link works once", async (t) => {
    const { server, listening, run } = await deployed();
    const { url, scopes, code: _, expiresAt } = await run('dashboard');
    t.ok(url.startsWith(`${listening.control}/dashboard/#code=`), url);
    t.same(scopes, ['read', 'spawn', 'deploy']);
    t.ok(Date.parse(expiresAt) > Date.now());
    const client = new HatcheryClient({ server: String(listening.control) });
    const [, code = ''] = url.split('#code=');
    t.match(await client.tokens.followLink(code), { scopes: ['read', 'spawn', 'deploy'] });
    await t.rejects(client.tokens.followLink(code), { code: 'LINK_INVALID' });

    const reader = await run('dashboard', '--scope', 'read', '--scope', 'read');
    t.same(reader.scopes, ['read']);
    const { token } = await client.tokens.followLink(reader.url.split('#code=')[1]);
    const asReader = await hatchery([
      'dashboard',
      '--server',
      String(listening.control),
      '--token',
      token,
      '--json',
    ]);
    t.match(
      asReader,
      { code: 2, stdout: /SCOPE_MISSING/ },
      'who may not make tokens, makes no link',
    );
    t.match(await run('dashboard', '--scope', 'all'), { error: { code: 'CONFIGURATION_INVALID' } });

    const plain = await hatchery([
      ...['dashboard', '--server', String(listening.control), '--data', data],
    ]);
    t.match(plain.stdout, /^http:\/\/127\.0\.0\.1:\d+\/dashboard\/#code=[\w-]{43}\n$/);
    t.match(plain.stderr, /works once, until \d+/);
    t.equal((await server.stop()).code, 0);
    const gone = await hatchery([
      'dashboard',
      '--server',
      String(listening.control),
      '--data',
      data,
    ]);
    t.equal(gone.code, 1);
    t.match(gone.stderr, '[UNREACHABLE]');
  });

  t.test('on a terminal it prints such a link itself', async (t) => {
    const command = `"${MAIN}" up --port 0 --control-port 0 --data "${data}"`;
    const terminal = spawn('script', ['-qfc', command, '/dev/null']);
    const ended = once(terminal, 'close');
    t.teardown(() => terminal.kill());
    let shown = '';
    for await (const chunk of terminal.stdout) {
      shown += chunk;
      if (/functions /.test(shown)) {
        break;
      }
    }
    const [, server = '', code = ''] =
      /dashboard (http:\S+)\/dashboard\/#code=([\w-]{43}) /.exec(shown) ?? [];
    const { token } = await new HatcheryClient({ server }).tokens.followLink(code);
    t.match(await new HatcheryClient({ server, token }).functions.list(), [{ name: 'one' }]);
    terminal.stdin.write('\u0003');
    await ended;
  });

  t.test('what cannot be served keeps it from starting', async (t) => {
    const wrong: [string[], number, string][] = [
      [['--deploy', `${folder}/broken.ts`], 4, 'BUNDLE_FAILED'],
      [['--deploy', `${folder}/none.ts`], 2, 'INVALID_ARGUMENT'],
      [['--deploy', `${folder}/zerg.ts`], 2, 'CONFIGURATION_INVALID'],
      [['--self-test', '10'], 2, 'INVALID_ARGUMENT'],
    ];
    for (const [args, code, error] of wrong) {
      const server = up(...args);
      t.match((await server.next('error')).error, { code: error }, args.join(' '));
      t.equal((await server.end).code, code);
    }
  });
});
