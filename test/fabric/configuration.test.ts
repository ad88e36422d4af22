/** What guests get from their parent: programs as programs, functions as functions. */
import { join } from 'node:path';
import t from 'tap';
import { configurationOf } from '../../src/fabric/configuration.js';
import { checkDefinition, type FunctionDefinition } from '../../src/fabric/definition.js';
import { DEFAULT_LIMITS } from '../../src/fabric/limits.js';
import { limitsOf, prepareFunction } from '../../src/fabric/prepared.js';
import { type ImageFile, Images } from '../../src/image/images.js';

const FILE = { name: 'x', path: 'x', digest: '0', bytes: new Uint8Array() };

function itemsOf(given: Partial<FunctionDefinition>, code?: string): Record<string, string> {
  const { bindings, ...definition } = checkDefinition({ name: 'f', ...given });
  const limits = limitsOf(definition, FILE);
  const bundle =
    code === undefined
      ? undefined
      : { code: Buffer.from(code), map: '', inputs: [], milliseconds: 0 };
  const prepared = {
    definition: { ...definition, limits },
    bundle,
    image: FILE,
    workingFolder: '/',
  };
  return Object.fromEntries(
    [...configurationOf(prepared, bindings)].map(([item, value]) => [
      item,
      Buffer.from(value).toString(),
    ]),
  );
}

t.test('a program gets its environment and its arguments', async (t) => {
  const items = itemsOf({
    image: 'app',
    env: { A: '1', B: 'two words, ä' },
    secrets: { S: 'a=b' },
    commandLine: ['--verbose', '', 'greeting=hi', 'a b=c', '=x'],
  });
  t.equal(items.environment, 'A=1\0B=two words, ä\0S=a=b\0');
  t.equal(items.arguments, 'f\0--verbose\0\0greeting=hi\0a b=c\0=x\0');
  t.equal(items.greeting, 'hi', 'it is an item, too');
  t.same(Object.keys(items).sort(), [
    ...['arguments', 'bindings', 'env', 'environment', 'greeting', 'limits', 'name'],
  ]);
});

t.test('a function in JavaScript gets neither', async (t) => {
  const items = itemsOf({ source: 'x', env: { A: '1' } }, 'code');
  t.same(Object.keys(items).sort(), ['bindings', 'env', 'limits', 'module', 'name']);
  t.equal(items.module, 'code');
  t.equal(
    itemsOf({ image: 'lua', source: 'x' }, 'code').script,
    'code',
    'a script has another name',
  );
});

t.test('what would be something else in a program is refused', async (t) => {
  const wrong: [string, Partial<FunctionDefinition>][] = [
    ['env.A', { env: { A: 'x\0B=y' } }],
    ['env.A=B', { env: { 'A=B': 'x' } }],
    ['secrets.S', { secrets: { S: 'x\0' } }],
    ['commandLine.0', { commandLine: ['a\0b'] }],
    ['commandLine.0', { commandLine: ['environment=x'] }],
    ['commandLine.0', { commandLine: ['arguments='] }],
  ];
  for (const [path, given] of wrong) {
    t.throws(() => itemsOf({ image: 'app', ...given }), {
      code: 'CONFIGURATION_INVALID',
      details: { path },
    });
  }
});

t.test('a script in Lua is its own bundle', async (t) => {
  const folder = t.testdir({ 'app.lua': 'function handle() end\n' });
  class AnyImage extends Images {
    override read(): Promise<ImageFile> {
      return Promise.resolve(FILE);
    }
  }
  const images = new AnyImage();
  const file = join(folder, 'app.lua');
  const { bundle } = await prepareFunction({ name: 'f', image: 'lua', file }, images);
  t.equal(Buffer.from(bundle?.code ?? '').toString(), 'function handle() end\n');
  t.same(bundle?.inputs, [file]);
  const text = await prepareFunction({ name: 'f', image: 'lua', source: 'x' }, images);
  t.equal(Buffer.from(text.bundle?.code ?? '').toString(), 'x');
  await t.rejects(prepareFunction({ name: 'f', image: 'lua', file: `${file}x` }, images), {
    code: 'INVALID_ARGUMENT',
  });
  t.throws(() => checkDefinition({ name: 'f', image: 'lua' }), { code: 'CONFIGURATION_INVALID' });
});

t.test('an image has limits of its own, and a function better ones', async (t) => {
  const image = { ...FILE, limits: { memoryBytes: 1 << 25 } };
  t.equal(limitsOf({ limits: {} }, FILE).memoryBytes, DEFAULT_LIMITS.memoryBytes);
  t.equal(limitsOf({ limits: {} }, image).memoryBytes, 1 << 25);
  t.equal(limitsOf({ limits: { memoryBytes: 1 << 26 } }, image).memoryBytes, 1 << 26);
});
