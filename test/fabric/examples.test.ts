import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { test } from 'tap';
import { driverless, untestable, untestableInLab } from '../drivers/driver-under-test.js';
import { deploy, openFabric } from './fabric-under-test.js';

const run = promisify(execFile);

test('the example of the library runs as it stands', {
  skip: untestableInLab('runs in a process of its own, which takes long to start in Dom0'),
}, async (t) => {
  const { stdout } = await run(process.execPath, ['dist/examples/library.js']);
  const timing = 'accept;dur=[^;]+, queue;dur=.*, reply;dur=\\d+\\.\\d{3}';
  t.match(
    stdout,
    new RegExp(
      `^{ count: 1, url: 'http://counter/a' } ${timing}\n` +
        `{ count: 1, url: 'http://counter/b' } ${timing}\n` +
        `{ count: 2, url: 'http://counter/d' }\n$`,
    ),
  );
});

test('the example of a host of plug-ins runs as it stands', {
  skip: untestableInLab('has limits that are meant for a processor of today'),
}, async (t) => {
  const { stdout } = await run(process.execPath, ['dist/examples/plug-in.js']);
  t.equal(stdout, "{ item: 'tea', left: 3 }\n");
});

test('hello', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const hello = await deploy(fabric, { name: 'hello', file: 'examples/hello.ts' });
  for (const id of [1, 2]) {
    const response = await hello.fetch(`http://hello/?name=Ada&id=${id}`);
    t.match(await response.json(), { hello: 'Ada', served: 1, id: /^[0-9a-f-]{36}$/ });
  }
});

test('a function with an npm dependency', {
  skip: untestableInLab('needs a package that Dom0 has not, having those of production only'),
}, async (t) => {
  await using fabric = await openFabric();
  const accounts = await deploy(fabric, { name: 'accounts', file: 'examples/with-dependency.ts' });
  t.ok(accounts.inputs.some((path) => path.includes('node_modules/valibot')));
  const post = (body: object) =>
    accounts.fetch('http://accounts/', { method: 'POST', body: JSON.stringify(body) });
  const welcome = await post({ name: 'Ada', email: 'ada@example.org' });
  t.equal(welcome.status, 201);
  t.strictSame(await welcome.json(), { welcome: 'Ada' });
  const refused = await post({ name: 'Ada', email: 'nowhere' });
  t.equal(refused.status, 422);
  t.match(await refused.json(), { nested: { email: [/email/i] } });
});

test('the README shows the examples as they are', { skip: driverless }, async (t) => {
  const readme = await readFile('README.md', 'utf8');
  const shown = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
  const example = async (name: string) =>
    (await readFile(`examples/${name}.ts`, 'utf8')).replace(/^\/\*\*.*?\*\/\n/s, '');
  t.strictSame(shown, [await example('hello'), await example('library'), await example('plug-in')]);
});
