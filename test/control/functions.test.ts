/** Functions by the API: deployed, rolled back, removed, kept; and whatever is wrong with them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { collectLines, until } from '../supervisor/functions.js';
import { says, startControl } from './control-under-test.js';

t.test('functions', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  const { logger, lines } = collectLines();
  let server = await startControl({ data, workers: 2, logger });
  t.teardown(() => server.close());
  const ask: typeof server.ask = (...given) => server.ask(...given);
  const get = async (path: string, host?: string) => {
    // fetch cannot set Host.
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const headers = host === undefined ? {} : { host };
      request(server.front + path, { headers }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      })
        .on('error', reject)
        .end();
    });
  };

  t.test('a new one is served under all its names', async (t) => {
    const { status, body } = await ask('PUT', '/v1/functions/app', {
      ...says('one'),
      hosts: ['app.example.com'],
    });
    t.equal(status, 200, JSON.stringify(body));
    t.match(body, {
      name: 'app',
      version: 1,
      strategy: defaultStrategy,
      coldStart: { boot: Number },
    });
    t.same(body.routes[0], `${server.front}/app/`);
    t.equal((await get('/app/')).text, 'one');
    t.equal((await get('/', 'app.localhost')).text, 'one');
    t.equal((await get('/', 'app.example.com')).text, 'one');
    t.equal((await get('/')).status, 404);
  });

  t.test('versions, and back', async (t) => {
    await ask('PUT', '/v1/functions/app', says('two'));
    t.match((await ask('PUT', '/v1/functions/app', says('three'))).body, { version: 3 });
    t.equal((await get('/app/')).text, 'three');
    t.match((await ask('POST', '/v1/functions/app/rollback', {})).body, { version: 2 });
    t.equal((await get('/app/')).text, 'two');
    t.match((await ask('POST', '/v1/functions/app/rollback', { version: 1 })).body, { version: 1 });
    t.equal((await get('/', 'app.example.com')).text, 'one', 'with all that it said');
    t.match(await ask('POST', '/v1/functions/app/rollback', {}), {
      status: 404,
      body: { code: 'VERSION_MISSING' },
    });
    const { body } = await ask('GET', '/v1/functions/app');
    t.match(body, { state: 'serving', version: 1, versions: { length: 3 } });
  });

  t.test('what is wrong is refused with its place, and the old version stays', async (t) => {
    const broken = {
      source: { entry: 'a.ts', files: { 'a.ts': 'const x = 1;\nexport default {' } },
    };
    t.match(await ask('PUT', '/v1/functions/app', broken), {
      status: 422,
      body: { code: 'BUNDLE_FAILED', message: /a\.ts:2:17/, requestId: String },
    });
    const throws = { bundle: { code: 'throw new Error("early");' } };
    t.match(await ask('PUT', '/v1/functions/app', throws), {
      status: 422,
      body: { code: 'STARTUP_FAILED', details: { trace: /early/ } },
    });
    const wrong: [object, string][] = [
      [{}, 'source'],
      [{ ...says('x'), image: 'hello' }, 'source'],
      [{ image: 'js' }, 'image'],
      [{ image: '../../etc/passwd' }, 'image'],
      [{ ...says('x'), nmae: 'x' }, 'nmae'],
      [{ ...says('x'), limits: { wallMiliseconds: 1 } }, 'limits.wallMiliseconds'],
      [{ ...says('x'), limits: { memoryBytes: '64MiB' } }, 'limits.memoryBytes'],
      [{ ...says('x'), limits: { memoryBytes: 1 } }, 'limits.memoryBytes'],
      [{ ...says('x'), env: { A: 1 } }, 'env.A'],
      [{ ...says('x'), env: { A: '1' }, secrets: { A: '2' } }, 'secrets.A'],
      [{ ...says('x'), secrets: { A: null } }, 'secrets.A'],
      [{ ...says('x'), strategy: 'magic' }, 'strategy'],
      [{ ...says('x'), allowFetch: ['*'] }, 'allowFetch'],
      [{ ...says('x'), hosts: ['localhost'] }, 'hosts.0'],
      [{ ...says('x'), poolSize: 1e9 }, 'poolSize'],
      [{ source: { entry: 'b.ts', files: { 'a.ts': '' } } }, 'source.entry'],
      [{ source: { entry: 'a.ts', files: { 'a.ts': '', '../b.ts': '' } } }, 'source.files.../b.ts'],
      [{ source: { entry: 'a.ts', files: { 'a.ts': '', '/b.ts': '' } } }, 'source.files./b.ts'],
      [{ source: { entry: 'a.ts', files: { 'a.ts': '' }, folder: '/' } }, 'source.folder'],
      [{ ...says('x'), file: '/etc/passwd' }, 'file'],
    ];
    for (const [body, path] of wrong) {
      const answer = await ask('PUT', '/v1/functions/app', body);
      t.equal(answer.status, 400, JSON.stringify(answer.body));
      t.ok(answer.body.details.path.startsWith(path), `${path}: ${answer.body.message}`);
    }
    for (const name of ['Upper', '-a', 'a'.repeat(64), 'a_b', '..', '%2e%2e', 'a%2fb', 'a.b']) {
      const { status } = await ask('PUT', `/v1/functions/${name}`, says('x'));
      t.match(String(status), /^(400|404)$/, name);
    }
    t.equal((await get('/app/')).text, 'one');
    t.same(readdirSync(`${data}/functions`), ['app']);
  });

  t.test('a host name is of one function', async (t) => {
    const taken = { ...says('other'), hosts: ['app.example.com'] };
    t.match(await ask('PUT', '/v1/functions/other', taken), {
      status: 409,
      body: { code: 'HOST_TAKEN', details: { function: 'app' } },
    });
    t.equal((await ask('GET', '/v1/functions/other')).status, 404);
  });

  t.test('secrets reach the function and nothing else', async (t) => {
    const secret = 'hush-hush-42';
    const code = `
      console.log('starting with', globalThis.name);
      export default {
        fetch(request, env) {
          if (request.url.endsWith('/throw')) throw new Error(env.KEY);
          console.log(env.KEY);
          return new Response(env.KEY);
        },
      };`;
    const put = (secrets: object) =>
      ask('PUT', '/v1/functions/keeper', { bundle: { code }, secrets });
    t.equal((await put({ KEY: secret })).status, 200);
    t.equal((await get('/keeper/')).text, secret);
    t.equal((await get('/keeper/throw')).status, 500);
    t.equal((await put({ KEY: null })).status, 200);
    t.equal((await get('/keeper/')).text, secret, 'null keeps it');
    const { body } = await ask('GET', '/v1/functions/keeper');
    t.same(body.secrets, ['KEY']);
    await until(() => server.intake.logs.tail('keeper', 10).length >= 3);
    const everywhere = [
      JSON.stringify(await ask('GET', '/v1/functions')),
      JSON.stringify((await ask('GET', '/v1/functions/keeper/logs')).body),
      JSON.stringify(server.intake.events.all()),
      JSON.stringify(lines),
      ...readdirSync(data, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')),
    ].join('\n');
    t.ok(everywhere.includes('[secret KEY]'));
    t.notOk(everywhere.includes(secret));
  });

  t.test('redeploying under load: no request fails, none is half and half', async (t) => {
    const version = (text: string) => ({
      source: {
        entry: 'a.ts',
        files: {
          'a.ts': `import { b } from './b'; export default { fetch: () => new Response('${text}' + b) };`,
          'b.ts': `export const b = '${text}';`,
        },
      },
    });
    await ask('PUT', '/v1/functions/busy', version('0'));
    let running = true;
    const seen: string[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (running) {
        const { status, text } = await get('/busy/');
        seen.push(`${status} ${text}`);
      }
    });
    for (const text of ['1', '2', '3', '4', '5']) {
      await ask('PUT', '/v1/functions/busy', version(text));
      await sleep(20);
    }
    running = false;
    await Promise.all(load);
    t.ok(seen.length > 50);
    t.same(
      seen.filter((one) => !/^200 (\d)\1$/.test(one)),
      [],
    );
    t.equal((await get('/busy/')).text, '55');
  });

  t.test('traces name the places of the upload', async (t) => {
    const files = { 'src/a.ts': "export default {\n  fetch() { throw new Error('here'); },\n};" };
    await ask('PUT', '/v1/functions/traced', { source: { entry: 'src/a.ts', files } });
    await get('/traced/');
    await until(() => server.intake.logs.tail('traced', 10).length > 0);
    const { body } = await ask('GET', '/v1/functions/traced/logs?tail=1');
    t.match(body.lines[0], { level: 'error', text: /src\/a\.ts:2:/, requestId: String });
  });

  t.test('they survive the server', async (t) => {
    await ask('DELETE', '/v1/functions/busy');
    t.equal((await get('/busy/')).status, 404);
    t.equal((await ask('DELETE', '/v1/functions/busy')).status, 404);
    await server.close();
    server = await startControl({ data, logger });
    t.equal((await get('/app/')).text, 'one');
    t.equal((await get('/keeper/')).text, 'hush-hush-42');
    t.equal((await get('/busy/')).status, 404);
    const { body } = await ask('GET', '/v1/functions');
    t.same(
      body.functions.map(({ name }: { name: string }) => name),
      ['app', 'keeper', 'traced'],
    );
    await t.rejects(startControl({ data }), { code: 'DATA_IN_USE' });
  });

  t.test('one that cannot be started keeps no other from answering', async (t) => {
    await server.close();
    writeFileSync(`${data}/functions/traced/1.json`, 'broken');
    writeFileSync(`${data}/key`, 'ab'.repeat(32));
    server = await startControl({ data, logger });
    t.same([...server.control.functions.failed].sort(), ['keeper', 'traced']);
    t.equal((await get('/app/')).text, 'one');
    t.equal((await get('/keeper/')).status, 404);
    const { body } = await ask('GET', '/v1/functions');
    t.match(body.functions, [
      { name: 'app', state: 'serving' },
      { name: 'keeper', state: 'failed', problem: /another key/, secrets: ['KEY'] },
      { name: 'traced', state: 'failed', problem: /checksum/ },
    ]);
    t.match(await ask('GET', '/v1/functions/traced'), {
      status: 500,
      body: { code: 'DATA_UNUSABLE' },
    });
    t.notMatch(JSON.stringify(body), data, 'and not where it is on this machine');
    t.match((await ask('PUT', '/v1/functions/traced', says('new'))).body, { version: 2 });
    t.equal((await get('/traced/')).text, 'new', 'it can be replaced');
    t.equal((await ask('DELETE', '/v1/functions/keeper')).status, 204, 'or removed');
  });
});
