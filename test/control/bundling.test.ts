/** Uploads are bundled without rights, and see nothing but themselves. */
import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { Bundling } from '../../src/control/bundling/bundling.js';
import { EsbuildProgram } from '../../src/control/bundling/esbuild-program.js';
import { isUploadPath, Upload } from '../../src/control/bundling/upload.js';
import { workerUser } from '../../src/supervisor/user.js';

const bundling = new Bundling(workerUser(undefined));
t.teardown(() => bundling.close());

const bundle = (files: Record<string, string>, entry = Object.keys(files)[0] ?? '') =>
  bundling.bundle('f', { entry, files });

t.test('files of the upload import each other', async (t) => {
  const { module, map } = await bundle({
    'src/main.ts': `
      import { a } from './a.js';
      import data from '../data.json';
      import text from './note.txt';
      import { pkg } from 'pkg/deep';
      import old from '@scope/old';
      import own from '#own';
      export default { fetch: () => [a, data, text, pkg, old, own] as const satisfies unknown };`,
    'src/a.ts': 'export const a: string = "in a";',
    'data.json': '{"in":"data"}',
    'src/note.txt': 'in note',
    'node_modules/pkg/package.json': '{"name":"pkg","exports":{"./deep":{"import":"./lib/d.js"}}}',
    'node_modules/pkg/lib/d.js': 'export const pkg = "in pkg";',
    'node_modules/@scope/old/package.json': '{"name":"@scope/old","main":"m"}',
    'node_modules/@scope/old/m.js': 'export default "in old";',
    'package.json': '{"name":"root","imports":{"#own":"./src/own.ts"}}',
    'src/own.ts': 'export default "in own";',
  });
  for (const text of ['in a', '"data"', 'in note', 'in pkg', 'in old', 'in own']) {
    t.ok(module.includes(text), text);
  }
  t.ok(JSON.parse(map).sources.includes('/upload/src/main.ts'));
  t.notMatch(map, 'sourcesContent');
});

t.test('nothing else can be imported', async (t) => {
  const secret = `${t.testdir({ 'secret.json': '{"secret":"of the host"}' })}/secret.json`;
  const targets = [
    ...[
      secret,
      `../../../../../../..${secret}`,
      `file://${secret}`,
      '/etc/passwd',
      'node:fs',
      'fs',
    ],
    ...[
      'esbuild',
      'fastify',
      '/upload/../etc/passwd',
      '..',
      '.',
      '/',
      '',
      '#x',
      'a\\b',
      '%2e%2e/a',
    ],
    ...['http://127.0.0.1/', 'data:text/javascript,export default 1', '\u0000', 'pkg', 'pkg/x'],
  ];
  for (const target of targets) {
    const files = {
      'a.ts': `import x from ${JSON.stringify(target)};\nexport default x;`,
      'node_modules/pkg/package.json': '{"name":"pkg","exports":"../../../etc/passwd"}',
    };
    await t.rejects(bundle(files), { code: 'BUNDLE_FAILED', message: /a\.ts:1:\d+: / }, target);
  }
});

t.test('neither tsconfig nor source maps are looked up', async (t) => {
  const folder = t.testdir({ 'm.map': '{"version":3,"sources":["stolen"],"mappings":"AAAA"}' });
  const { map } = await bundle({
    'a.js': `export default 1;\n//# sourceMappingURL=${folder}/m.map`,
    'tsconfig.json': `{"extends":"${folder}/m.map"}`,
  });
  t.same(JSON.parse(map).sources, ['/upload/a.js']);
});

t.test('what does not parse is refused with its place', async (t) => {
  await t.rejects(bundle({ 'a.ts': 'const a = 1;\nexport default {' }), {
    message: /a\.ts:2:17: /,
  });
  await t.rejects(bundling.bundle('f', { code: 'let a;\nlet a;', map: undefined }), {
    message: /bundle\.js:2:5: .*already/,
  });
  await t.rejects(bundling.bundle('f', { code: 'import x from "y";', map: undefined }), {
    message: /bundle\.js:1:\d+: .*not in the upload/,
  });
  await t.rejects(bundle({ 'a.ts': '' }, 'b.ts'), { message: /b\.ts.*not in the upload/ });
  for (const map of ['', '{}', '[]', 'null']) {
    await t.rejects(bundling.bundle('f', { code: '', map }), { message: /source map/ }, map);
  }
});

t.test('a bundle is taken as it is, its sources below the upload', async (t) => {
  const code = 'export default   1;';
  const map = '{"version":3,"sources":["../../x/a.ts","/etc/b.ts"],"names":[],"mappings":"AAAA"}';
  const bundled = await bundling.bundle('f', { code, map });
  t.equal(bundled.module, code);
  t.same(JSON.parse(bundled.map).sources, ['/upload/x/a.ts', '/upload/etc/b.ts']);
});

t.test('limits', async (t) => {
  const hasty = new Bundling(workerUser(undefined), { wallMilliseconds: 1, outputBytes: 1 << 20 });
  t.teardown(() => hasty.close());
  await t.rejects(hasty.bundle('f', { code: '', map: undefined }), {
    code: 'BUNDLE_FAILED',
    message: /longer than 1 ms/,
  });
  const brief = new Bundling(workerUser(undefined), { wallMilliseconds: 20_000, outputBytes: 100 });
  t.teardown(() => brief.close());
  const code = `export default ${JSON.stringify('x'.repeat(10_000))};`;
  await t.rejects(brief.bundle('f', { code, map: undefined }), { message: /larger than/ });
  // Each level is twice as large, and esbuild folds it: 2 to the power of 40 characters.
  const bomb = Array.from({ length: 40 }, (_, i) => `const a${i + 1} = a${i} + a${i};`).join('\n');
  const eats = `const a0 = 'x';\n${bomb}\nexport default a40;`;
  const deep = `export default ${'['.repeat(2_000_000)}`;
  for (const code of [eats, deep]) {
    const outcome = await bundling.bundle('f', { code, map: undefined }).then(
      () => 'bundled',
      (error: { code: string }) => error.code,
    );
    t.match(outcome, /^(bundled|BUNDLE_FAILED)$/, 'it comes to an end');
  }
  const waiting = Array.from({ length: 60 }, () => hasty.bundle('f', { code: '', map: undefined }));
  const codes = (await Promise.allSettled(waiting)).map(
    (outcome) => (outcome as PromiseRejectedResult).reason.code,
  );
  t.ok(codes.includes('OVERLOADED'));
  t.match((await bundle({ 'a.ts': 'export default 1' })).module, /1/, 'the next one is served');
});

t.test('the program, where the workers’ user cannot reach it', async (t) => {
  const folder = t.testdir({ private: { esbuild: '#!/bin/sh\n' } });
  const path = `${folder}/private/esbuild`;
  chmodSync(path, 0o755);
  const user = { user: 65_534, group: 65_534 };
  chmodSync(`${folder}/private`, 0o700);
  const copied = await EsbuildProgram.find(user, path);
  t.not(copied.path, path);
  t.equal(readFileSync(copied.path, 'utf8'), '#!/bin/sh\n');
  t.equal(statSync(copied.path).mode & 0o777, 0o755);
  await copied.close();
  t.notOk(existsSync(copied.path));
  t.equal((await EsbuildProgram.find(undefined, path)).path, path, 'its own user needs no copy');
});

t.test('paths of an upload', async (t) => {
  for (const path of ['a', 'a/b.ts', '.env', 'node_modules/@x/y/z.js', 'ä b']) {
    t.ok(isUploadPath(path), path);
  }
  for (const path of ['', '.', '..', '../a', '/a', 'a/../b', 'a//b', 'a/', './a', 'a\\b', 'a\0']) {
    t.notOk(isUploadPath(path), JSON.stringify(path));
  }
  const upload = new Upload({ 'a.ts': '', 'lib/index.js': '' });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webPath()), (specifier) => {
      try {
        const found = upload.resolve(specifier, '/upload/a.ts');
        return found === undefined || upload.read(found) !== undefined;
      } catch {
        return true;
      }
    }),
  );
});
