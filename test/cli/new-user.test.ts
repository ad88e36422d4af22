/** What a new user does with a server, one thing after the other, as the documentation says it. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { hatchery, MAIN, Served } from './command.js';
import { says } from './functions.js';

t.test('a new user', { skip: noDriver }, async (t) => {
  const folder = t.testdir({
    home: {},
    'shop.ts':
      "let count = 0;\nexport default { fetch() { count += 1; console.log('asked'); return new Response(String(count)); } };",
    'closed.ts': says('closed'),
  });
  const home = { XDG_DATA_HOME: `${folder}/home` };
  const start = () => new Served(['--control-port', '0'], home, [MAIN], 'up');
  let server = start();
  t.teardown(() => server.stop());
  let { url, control } = await server.next('listening');
  /** Without --json: what people see. The token is found where the server keeps it. */
  const run = async (...args: string[]) => {
    const env = { ...home, HATCHERY_SERVER: String(control), HATCHERY_TOKEN: undefined };
    const { code, stdout, stderr } = await hatchery(args, { env, cwd: folder });
    t.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return `${response.status} ${await response.text()}`;
  };

  t.ok(existsSync(`${folder}/home/hatchery/token`), 'its data is where XDG has it');
  t.match(await run('function', 'deploy', 'shop.ts'), /shop/);
  t.equal(await get('/shop/'), '200 1');
  t.equal(await get('/shop/'), '200 1', 'each request has a machine of its own');

  const [id = ''] = (await run('instance', 'spawn', 'shop')).split(' ');
  t.equal(await run('instance', 'request', id), '1');
  t.equal(await run('instance', 'request', id), '2', 'an instance keeps its state');
  t.match(await run('instance', 'ls'), new RegExp(`${id} +ready +shop`));
  const events = run('events', '--count', '2');
  t.match(await run('instance', 'kill', id), id);

  await run('function', 'deploy', 'closed.ts', '--name', 'shop');
  t.equal(await get('/shop/'), '200 closed');
  t.match(await events, /^\S+ +\w+ +shop/m);
  t.match(await run('function', 'rollback', 'shop'), 'Version 1 of shop answers again.');
  t.match(await run('function', 'logs', 'shop'), /info +.*asked/);

  const token = (await run('token', 'create', 'ci', '--scope', 'deploy')).trim();
  const [, tokenId = ''] = /^([0-9a-f]{12}) +ci /m.exec(await run('token', 'ls')) ?? [];
  t.match(token, tokenId);
  await run('token', 'rm', tokenId);
  t.notMatch(await run('token', 'ls'), tokenId);

  const link = new URL((await run('dashboard')).trim());
  t.equal(`${link.origin}${link.pathname}`, `${control}/dashboard/`);
  const followed = await fetch(`${link.origin}/v1/links/follow`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code: link.hash.replace('#code=', '') }),
  });
  t.equal(followed.status, 201);
  const session = (await followed.json()) as { readonly token: string };
  const listed = await fetch(`${link.origin}/v1/functions`, {
    headers: { authorization: `Bearer ${session.token}` },
  });
  t.match(await listed.json(), { functions: [{ name: 'shop', version: 1 }] });
  t.match(await get('/zerg'), /^200 <!doctype html>/);

  await server.stop('SIGKILL');
  server = start();
  ({ url, control } = await server.next('listening'));
  t.equal(await get('/shop/'), '200 1', 'the version that answered before answers again');
  t.match(await run('function', 'rm', 'shop'), 'Removed shop.');
  t.match(await get('/shop/'), /^404 .*FUNCTION_MISSING/);
  t.equal((await server.stop()).code, 0);
});
