/** `hatchery serve --watch`: what is saved is served, and nobody notices the change-over. */
import { renameSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { Served } from './command.js';
import { NO_SYNTAX, says } from './functions.js';

const textOf = async (url: string) => (await fetch(url)).text();

t.test('watch', { skip: noDriver }, async (t) => {
  t.test('redeploys under load without a failed request', async (t) => {
    const folder = t.testdir({ 'app.ts': says('version 0') });
    const served = new Served([`${folder}/app.ts`, '--watch']);
    const url = await served.url();

    let running = true;
    const seen = new Map<string, number>();
    const client = async () => {
      while (running) {
        const response = await fetch(url);
        const answer = `${response.status} ${await response.text()}`;
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (let version = 1; version <= 5; version += 1) {
      writeFileSync(`${folder}/app.ts`, says(`version ${version}`));
      await served.next('redeployed');
      t.equal(await textOf(url), `version ${version}`);
    }
    running = false;
    await Promise.all(clients);
    t.same(
      [...seen.keys()].filter((answer) => !/^200 version [0-5]$/.test(answer)),
      [],
      'every answer was a version’s',
    );
    t.ok((seen.get('200 version 0') ?? 0) > 0 && (seen.get('200 version 5') ?? 0) >= 0);
    t.equal((await served.stop()).code, 0);
  });

  t.test('a file that cannot be deployed leaves the old version, until it is mended', async (t) => {
    const folder = t.testdir({ 'app.ts': says('good') });
    const served = new Served([`${folder}/app.ts`, '--watch']);
    const url = await served.url();
    writeFileSync(`${folder}/app.ts`, NO_SYNTAX);
    t.match(await served.next('error'), { error: { code: 'BUNDLE_FAILED', message: /app\.ts:2/ } });
    t.equal(await textOf(url), 'good');
    writeFileSync(`${folder}/app.ts`, says('mended'));
    await served.next('redeployed');
    t.equal(await textOf(url), 'mended');
    t.equal((await served.stop()).code, 0);
  });

  t.test('an imported file, and one that an editor replaces', async (t) => {
    const folder = t.testdir({
      'app.ts': `import { text } from './lib/text.js';
        export default { fetch: () => new Response(text) };`,
      lib: { 'text.js': `export const text = 'one';` },
    });
    const served = new Served([`${folder}/app.ts`, '--watch']);
    const url = await served.url();
    t.equal(await textOf(url), 'one');
    writeFileSync(`${folder}/new`, `export const text = 'two';`);
    renameSync(`${folder}/new`, `${folder}/lib/text.js`);
    await served.next('redeployed');
    t.equal(await textOf(url), 'two');
    t.equal((await served.stop()).code, 0);
  });

  t.test('the file of --env-file', async (t) => {
    const folder = t.testdir({
      'app.ts': `export default { fetch: (_: Request, env: any) => new Response(env.WORD) };`,
      'vars.env': 'WORD=before',
    });
    const served = new Served([
      ...[`${folder}/app.ts`, '--watch', '--env-file', `${folder}/vars.env`],
    ]);
    const url = await served.url();
    t.equal(await textOf(url), 'before');
    writeFileSync(`${folder}/vars.env`, 'WORD=after');
    await served.next('redeployed');
    t.equal(await textOf(url), 'after');
    t.equal((await served.stop()).code, 0);
  });
});
