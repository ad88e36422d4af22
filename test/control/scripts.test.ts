/** Functions in Lua by the API: their script is what is sent, and kept. */
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { says, startControl } from './control-under-test.js';

const answers = (text: string) => ({
  script: `return function() return ${JSON.stringify(text)} end`,
});

t.test('scripts in Lua', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  let server = await startControl({ data, workers: 1 });
  t.teardown(() => server.close());
  const put = (body: object) => server.ask('PUT', '/v1/functions/app', body);
  const get = async (path = '') => (await fetch(`${server.front}/app/${path}`)).text();

  t.test('with variables, secrets and logs', async (t) => {
    const script = `
      print("started")
      function handle(request)
        print("key " .. os.getenv("KEY"))
        return os.getenv("A") .. request.path
      end`;
    const body = { script, env: { A: '1' }, secrets: { KEY: 'hush-hush-42' } };
    t.match(await put(body), { status: 200, body: { version: 1 } });
    t.equal(await get('x'), '1/x');
    t.match((await server.ask('GET', '/v1/functions/app')).body, { image: 'lua', env: { A: '1' } });
    // A worker tells of what was logged when it has a moment.
    const patience = performance.now() + 5_000;
    let logs = '';
    while (!logs.includes('key ') && performance.now() < patience) {
      logs = JSON.stringify((await server.ask('GET', '/v1/functions/app/logs')).body);
    }
    t.match(logs, /started.*key \[secret KEY\]/);
    const asked = await server.ask('POST', '/v1/functions/app/requests', { url: '/y' });
    t.match(asked.body, { status: 200, body: '1/y' });
  });

  t.test('versions, also of another kind, and back', async (t) => {
    t.match((await put(answers('two'))).body, { version: 2 });
    t.match((await put(says('three'))).body, { version: 3 });
    t.equal(await get(), 'three');
    t.match((await server.ask('POST', '/v1/functions/app/rollback', {})).body, { version: 2 });
    t.equal(await get(), 'two');
  });

  t.test('what is wrong, and the version before stays', async (t) => {
    t.match(await put({ script: 'function handle(' }), {
      status: 422,
      body: { code: 'STARTUP_FAILED', details: { trace: /expected near/ } },
    });
    t.match(await put({ script: '' }), { status: 422, body: { code: 'STARTUP_FAILED' } });
    t.match(await put({ script: '\u001bLua' }), { status: 422 }, 'no compiled chunks');
    const wrong: [object, string][] = [
      [{ ...answers('x'), ...says('x') }, 'source'],
      [{ ...answers('x'), image: 'lua' }, 'source'],
      [{ image: 'lua' }, 'image'],
      [{ script: 1 }, 'script'],
      [{ ...answers('x'), commandLine: ['script=x'] }, 'commandLine'],
    ];
    for (const [body, path] of wrong) {
      const answer = await put(body);
      t.match(answer, { status: 400, body: { code: 'CONFIGURATION_INVALID' } });
      t.ok(answer.body.details.path.startsWith(path), answer.body.message);
    }
    t.match(await server.ask('POST', '/v1/instances', { image: 'lua' }), { status: 400 });
    t.equal(await get(), 'two');
  });

  t.test('a long one', async (t) => {
    const text = 'x'.repeat(1 << 20);
    t.match((await put(answers(text))).status, 200);
    t.equal((await get()).length, text.length);
    await server.ask('POST', '/v1/functions/app/rollback', { version: 2 });
  });

  t.test('after a restart', async (t) => {
    await server.close();
    server = await startControl({ data, workers: 1 });
    t.equal(await get(), 'two');
    t.match((await server.ask('POST', '/v1/functions/app/rollback', { version: 1 })).status, 200);
    t.equal(await get('x'), '1/x');
  });
});
