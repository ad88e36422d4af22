import { test } from 'tap';
import { checkDefinition } from '../../src/fabric/definition.js';

const GOOD = { name: 'f', source: 'export default {}' };

test('defaults are filled in', async (t) => {
  t.strictSame(checkDefinition(GOOD), {
    ...GOOD,
    image: 'js',
    hosts: [],
    env: {},
    secrets: {},
    commandLine: [],
    limits: {},
    allowFetch: [],
    bindings: {},
    warmUp: false,
  });
  const { limits } = checkDefinition({ ...GOOD, limits: { wallMilliseconds: 5 } });
  t.strictSame(limits, { wallMilliseconds: 5 }, 'an image has defaults of its own');
});

test('what is wrong is named by its path', async (t) => {
  const wrong: [string, unknown][] = [
    ['definition', undefined],
    ['definition', 'f'],
    ['name', { source: '' }],
    ['name', { ...GOOD, name: 'Upper' }],
    ['name', { ...GOOD, name: '-f' }],
    ['name', { ...GOOD, name: 'f'.repeat(64) }],
    ['nmae', { ...GOOD, nmae: 'f' }],
    ['file', { name: 'f' }],
    ['file', { ...GOOD, file: 'f.ts' }],
    ['file', { name: 'f', file: '' }],
    ['folder', { name: 'f', file: 'f.ts', folder: '.' }],
    ['image', { ...GOOD, image: 'hello' }],
    ['env.A', { ...GOOD, env: { A: 1 } }],
    ['limits.cpu', { ...GOOD, limits: { cpu: 1 } }],
    ['limits.wallMilliseconds', { ...GOOD, limits: { wallMilliseconds: 0 } }],
    ['limits.wallMilliseconds', { ...GOOD, limits: { wallMilliseconds: 1.5 } }],
    ['limits.wallMilliseconds', { ...GOOD, limits: { wallMilliseconds: Number.NaN } }],
    ['limits.memoryBytes', { ...GOOD, limits: { memoryBytes: (16 << 20) - 4096 } }],
    ['limits.memoryBytes', { ...GOOD, limits: { memoryBytes: (16 << 20) + 1 } }],
    ['limits.memoryBytes', { ...GOOD, limits: { memoryBytes: 2 ** 32 + 4096 } }],
    ['limits.maxRequestBodyBytes', { ...GOOD, limits: { maxRequestBodyBytes: '1' } }],
    ['limits.cpuMilliseconds', { ...GOOD, limits: { cpuMilliseconds: 0 } }],
    ['limits.maxHeaders', { ...GOOD, limits: { maxHeaders: 0 } }],
    ['limits.maxRequestHeadBytes', { ...GOOD, limits: { maxRequestHeadBytes: 1 << 20 } }],
    ['allowFetch', { ...GOOD, allowFetch: 'example.com' }],
    ['allowFetch.0', { ...GOOD, allowFetch: [''] }],
    ['bindings', { ...GOOD, bindings: 1 }],
    ['bindings.db', { ...GOOD, bindings: { db: 1 } }],
    ['bindings.db', { ...GOOD, bindings: { db: { get: 1 } } }],
    ['bindings.db', { ...GOOD, env: { db: '' }, bindings: { db: () => 1 } }],
    ['bindings.a-b', { ...GOOD, bindings: { 'a-b': () => 1 } }],
    ['warmUp', { ...GOOD, warmUp: 'yes' }],
    ['strategy', { ...GOOD, strategy: 'fast' }],
  ];
  for (const [path, definition] of wrong) {
    t.throws(
      () => checkDefinition(definition),
      { code: 'CONFIGURATION_INVALID', status: 400, details: { path } },
      path,
    );
  }
});
