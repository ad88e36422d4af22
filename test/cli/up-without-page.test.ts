/** A server whose own page cannot be deployed says so, and serves functions all the same. */
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { MAIN, Served } from './command.js';
import { says } from './functions.js';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));

t.test('a page that cannot be deployed', { skip: noDriver }, async (t) => {
  const folder = t.testdir({ 'app.ts': says('it answers'), package: { dist: {} } });
  const copy = `${folder}/package`;
  cpSync(`${CHECKOUT}/dist/src`, `${copy}/dist/src`, { recursive: true });
  for (const same of ['dist/images', 'dist/process', 'build', 'node_modules', 'package.json']) {
    symlinkSync(`${CHECKOUT}/${same}`, `${copy}/${same}`);
  }
  writeFileSync(`${copy}/dist/src/zerg/function/page.js`, 'export function page( {');
  const main = MAIN.replace(`${CHECKOUT}`, `${copy}/`);
  const args = ['--control-port', '0', '--data', `${folder}/data`];
  const server = new Served([...args, '--deploy', `${folder}/app.ts`], {}, [main], 'up');
  t.teardown(() => server.stop());
  const listening = await server.next('listening');
  t.notOk('page' in listening, 'no page is announced');
  t.equal(await (await fetch(`${listening.url}/app/`)).text(), 'it answers');
  const page = await fetch(`${listening.url}/zerg`);
  t.equal(page.status, 404);
  t.match(await page.json(), { code: 'FUNCTION_MISSING' });
  const { code, stderr } = await server.stop();
  t.equal(code, 0);
  t.match(stderr, /the page \/zerg cannot be served/);
  t.match(stderr, /page\.js:1/, 'and why');
});
