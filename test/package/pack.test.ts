/** The package as somebody else gets it: packed, installed in a folder of its own, used. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runToEnd } from '../cli/command.js';
import { noDriver } from '../drivers/default-driver.js';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));

/** What a user writes. */
const USE = `
  import { Fabric } from 'hatchery';
  const fabric = await Fabric.open();
  const source = 'export default { fetch: () => new Response("hello from the package") };';
  const fn = await fabric.deploy({ name: 'hello', source });
  const response = await fn.fetch(new Request('http://localhost/'));
  console.log(await response.text());
  await fabric.close();
`;

/** What `npm test` itself set, and a user has not: it would reach the npm that is started here. */
const environment = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^npm_/i.test(name) && name !== 'npm_config_cache')
    .map((name) => [name, undefined]),
);

t.test('npm pack, then npm install elsewhere', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hatchery-package-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const run = async (...command: string[]) => {
    const ended = await runToEnd(command, { cwd: folder, env: environment });
    t.equal(ended.code, 0, `${command.join(' ')}\n${ended.stderr}`);
    return ended.stdout;
  };

  // What prepack builds is built already, where the tests run.
  await run('npm', 'pack', CHECKOUT, '--ignore-scripts');
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(`${folder}/package.json`, '{"name":"user","private":true,"type":"module"}');
  await run('npm', 'install', `./${tarball}`, '--prefer-offline', '--no-audit', '--no-fund');
  const installed = `${folder}/node_modules/hatchery`;

  t.test('brings what it needs, and not what only we need', async (t) => {
    for (const file of [
      'build/Release/hatchery_kvm.node',
      'build/Release/hatchery_process.node',
      'dist/images/js.elf',
      'dist/images/lua.elf',
      'dist/sdk/build-c',
      'dist/sdk/include/c/stdio.h',
      'dist/sdk/lib/libc.a',
      'dist/sdk/licences/musl',
      'dist/src/index.d.ts',
      'dist/src/supervisor/bundle/LICENCES',
      'dist/src/supervisor/bundle/worker.mjs',
      'dist/src/dashboard/page/LICENCES',
      'dist/src/dashboard/page/index.html',
      'dist/src/dashboard/page/dashboard.css',
      'dist/src/dashboard/page/dashboard.mjs',
      'dist/src/client/index.js',
      'dist/src/client/index.d.ts',
      'dist/src/control/bundling/bundler.js',
      'docs/api.md',
      'native/kvm/addon.cc',
      'native/machine/addon_data.cc',
      'native/xen/addon.cc',
      'images/kernel/xen/pvh_stub.S',
      'images/abi/hatchery.h',
      'binding.gyp',
      'README.md',
      'LICENSE',
      'docs/cli.md',
    ]) {
      t.ok(existsSync(`${installed}/${file}`), file);
    }
    for (const file of ['src', 'test', 'dist/test', 'bench', 'build/logs']) {
      t.notOk(existsSync(`${installed}/${file}`), `no ${file}`);
    }
    for (const name of ['typescript', 'tap', '@biomejs', 'quickjs-wasi']) {
      t.notOk(existsSync(`${folder}/node_modules/${name}`), `no ${name}`);
    }
  });

  t.test('hatchery is on the path', async (t) => {
    const { version } = createRequire(import.meta.url)(`${CHECKOUT}/package.json`);
    t.match(await run('npx', '--no', 'hatchery', 'version'), `hatchery ${version}`);
  });

  t.test('the import serves a request', { skip: noDriver }, async (t) => {
    writeFileSync(`${folder}/use.js`, USE);
    t.equal(await run(process.execPath, 'use.js'), 'hello from the package\n');
  });

  t.test(
    'compiles the addon where the one it brings does not load',
    { skip: noDriver },
    async (t) => {
      const addon = `${installed}/build/Release/hatchery_kvm.node`;
      writeFileSync(addon, 'not an addon');
      const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
      const ended = await runToEnd([process.execPath, 'scripts/install.mjs'], {
        cwd: installed,
        env: { ...environment, npm_config_node_gyp: nodeGyp, HATCHERY_HEADERS: 'package' },
      });
      t.equal(ended.code, 0);
      t.match(ended.stdout, /compiled$/m, ended.stderr);
      t.equal(await run(process.execPath, 'use.js'), 'hello from the package\n');
    },
  );

  t.test('a missing compiler costs the driver, not the installation', async (t) => {
    rmSync(`${installed}/build`, { recursive: true });
    const ended = await runToEnd([process.execPath, 'scripts/install.mjs'], {
      cwd: installed,
      env: { ...environment, PATH: '/nonexistent' },
    });
    t.equal(ended.code, 0);
    t.match(ended.stderr, 'npm rebuild hatchery');
  });
});
