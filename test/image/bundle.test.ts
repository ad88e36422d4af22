import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { bundle } from '../../src/image/bundle.js';
import { TraceMapper } from '../../src/image/source-maps.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test('packages are found from the file, as edge platforms find them', async (t) => {
  const folder = t.testdir({
    'main.ts': "import { where } from 'dep';\nexport default { fetch: (): string => where };\n",
    node_modules: {
      dep: {
        'package.json': JSON.stringify({
          name: 'dep',
          exports: { node: './node.js', workerd: './edge.js', default: './other.js' },
        }),
        'node.js': "export const where = 'node';",
        'edge.js': "export const where = 'edge';",
        'other.js': "export const where = 'other';",
      },
    },
  });
  const bundled = await bundle('f', { file: join(folder, 'main.ts') });
  t.match(text(bundled.code), '"edge"');
  t.notMatch(text(bundled.code), 'import ');
  t.strictSame([...bundled.inputs].sort(), [
    join(folder, 'main.ts'),
    join(folder, 'node_modules/dep/edge.js'),
  ]);
  t.ok(bundled.milliseconds > 0);
});

test('several bundles at a time', async (t) => {
  const codes = await Promise.all(
    [1, 2, 3].map((n) => bundle('f', { text: `export default ${n};`, folder: '.' })),
  );
  codes.forEach(({ code }, index) => {
    t.match(text(code), `${index + 1}`);
  });
});

test('what cannot be bundled is said with its place', async (t) => {
  const folder = t.testdir({ 'broken.ts': 'const a = 1;\nconst b = ;\n' });
  await mkdir(join(folder, 'sub'));
  await writeFile(join(folder, 'sub/imports.ts'), "import 'node:fs';\nimport 'nowhere';\n");
  await t.rejects(bundle('f', { file: join(folder, 'broken.ts') }), {
    code: 'BUNDLE_FAILED',
    status: 422,
    message: 'The function f cannot be bundled: broken.ts:2:11: Unexpected ";"',
  });
  await t.rejects(bundle('f', { file: join(folder, 'sub/imports.ts') }), {
    code: 'BUNDLE_FAILED',
    details: { problem: /^imports\.ts:1:8: Could not resolve "node:fs"/ },
  });
  await t.rejects(bundle('f', { file: join(folder, 'missing.ts') }), { code: 'BUNDLE_FAILED' });
});

test('traces are mapped to the source', async (t) => {
  const source =
    'interface Gone { a: 1 }\n\nfunction fail(): never {\n  throw new Error();\n}\nfail();\n';
  const { code, map } = await bundle('f', { text: source, folder: '.' });
  const lines = text(code).split('\n');
  const line = lines.findIndex((one) => one.includes('throw')) + 1;
  const column = (lines[line - 1]?.indexOf('throw') ?? 0) + 1;
  const mapper = new TraceMapper(map);
  const mapped = mapper.apply(
    [
      `    at fail (function.js:${line}:${column})`,
      `    at function.js:${line}:${column}`,
      '    at serve (prelude.js:1:1)',
      '    at native',
      '    at f (function.js:99999:1)',
    ].join('\n'),
  );
  t.equal(
    mapped,
    [
      '    at fail (function.ts:4:3)',
      '    at function.ts:4:3',
      '    at serve (prelude.js:1:1)',
      '    at native',
      '    at f (function.js:99999:1)',
    ].join('\n'),
  );
});
