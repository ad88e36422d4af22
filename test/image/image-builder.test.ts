/** What is built is stored with where it came from; the same again is not compiled again. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildCache } from '../../src/image/build/build-cache.js';
import { type BuildOrder, ImageBuilder } from '../../src/image/build/image-builder.js';
import { Sdk } from '../../src/image/build/sdk.js';
import { ImageStore } from '../../src/image/store/image-store.js';
import { loadProcessAddon } from '../../src/supervisor/process-native.js';
import { workerUser } from '../../src/supervisor/user.js';
import { COMMAND, fakeSdk } from './fake-sdk.js';

class Bench {
  readonly store: ImageStore;
  readonly cache: BuildCache;
  readonly steps: string[] = [];
  readonly builder: ImageBuilder;

  constructor(
    readonly folder: string,
    script?: string,
  ) {
    const sdk = fakeSdk(`${folder}/sdk`, script);
    this.store = new ImageStore(`${folder}/images`);
    this.cache = new BuildCache(this.store, `${folder}/builds`);
    this.builder = new ImageBuilder({
      ...{ store: this.store, cache: this.cache, user: workerUser(undefined) },
      sdk: () => Sdk.open(sdk),
      limits: { wallMilliseconds: 30_000 },
      onStep: (step) => this.steps.push(step),
    });
  }

  build(order: Partial<BuildOrder> & Pick<BuildOrder, 'sources'>) {
    const sources = order.sources.map((path) => `${this.folder}/${path}`);
    return this.builder.build({ name: 'app', ...order, sources });
  }
}

function bench(t: Test, files: Parameters<Test['testdir']>[0], script?: string): Bench {
  return new Bench(t.testdir(files), script);
}

t.test('a module, from its text', async (t) => {
  const a = bench(t, { 'app.wat': COMMAND });
  const first = await a.build({ sources: ['app.wat'] });
  t.equal(first.wasBuilt, false);
  t.same(a.steps, ['assembling', 'translating and compiling']);
  t.same(first.inputs, [`${a.folder}/app.wat`]);
  t.match(await a.store.inspect('app'), {
    name: 'app',
    digest: first.image.digest,
    config: {
      ...{ abiVersion: 1, kind: 'wasm', manner: 'command', entry: '0x4000000', limits: {} },
      provenance: {
        ...{ tools: { fake: '1.0' }, flags: ['-O2'], givenFlags: [] },
        sources: [{ path: 'app.wat', digest: /^sha256:[0-9a-f]{64}$/ }],
      },
    },
  });
  const { whole } = await a.store.read('app');
  t.match(Buffer.from(whole.elf).toString('latin1'), '\0asm', 'the script got the binary');

  t.test('again: nothing is compiled', async (t) => {
    const again = await a.build({ sources: ['app.wat'] });
    t.equal(again.wasBuilt, true);
    t.equal(again.image.digest, first.image.digest);
    t.equal(a.steps.length, 2);
  });
  t.test('with other memory, it is another image of the same code', async (t) => {
    const other = await a.build({ sources: ['app.wat'], name: 'big', memoryBytes: 1 << 27 });
    t.equal(other.wasBuilt, true);
    t.not(other.image.digest, first.image.digest);
    t.same((await a.store.inspect('big')).config.limits, { memoryBytes: 1 << 27 });
  });
  t.test('where the store lost it, it is built anew, to the same digest', async (t) => {
    await a.store.remove('app');
    await a.store.remove('big');
    await a.store.collect();
    await a.cache.collect();
    const again = await a.build({ sources: ['app.wat'] });
    t.equal(again.wasBuilt, false);
    t.equal(again.image.digest, first.image.digest, 'it is reproducible');
  });
  t.test('changed, it is built anew', async (t) => {
    writeFileSync(`${a.folder}/app.wat`, `${COMMAND} ;; changed`);
    t.equal((await a.build({ sources: ['app.wat'] })).wasBuilt, false);
    fakeSdk(`${a.folder}/sdk`, `${readFileSync(`${a.folder}/sdk/build-wasm`, 'utf8')}\n#`);
    t.equal((await a.build({ sources: ['app.wat'] })).wasBuilt, false, 'by another SDK');
  });
});

t.test('in another folder, on another day: the same bytes', async (t) => {
  const files = { 'main.c': 'int main(void) { return 0; }\n', www: { a: 'x', b: { c: 'y' } } };
  const digests = [];
  const root = t.testdir({});
  for (const name of ['one', 'two']) {
    const a = new Bench(`${root}/${name}`);
    mkdirSync(`${a.folder}/www/b`, { recursive: true });
    writeFileSync(`${a.folder}/main.c`, files['main.c']);
    writeFileSync(`${a.folder}/www/a`, 'x');
    writeFileSync(`${a.folder}/www/b/c`, 'y', { mode: 0o640 });
    const folders = [`${a.folder}/www:/srv`];
    const { image } = await a.build({
      sources: ['main.c'],
      folders,
      flags: ['-DX=1'],
    });
    digests.push(image.digest);
  }
  t.equal(digests[0], digests[1]);
});

t.test('C, with what it includes, folders and flags', async (t) => {
  const a = bench(t, {
    'main.c': '#include "lib/add.h"\nint main(void) { return add(1, 2); }\n',
    lib: {
      'add.h': 'int add(int, int);\n',
      'add.c': '#include "add.h"\nint add(int a, int b) { return a + b; }\n',
      'notes.txt': 'x',
    },
    www: { 'index.html': 'packed' },
  });
  const flags = [`-I${a.folder}/lib`, '-I', a.folder, '-DMODE=2', '-lm'];
  const { image, inputs } = await a.build({
    sources: ['main.c', 'lib'],
    flags,
    folders: [`${a.folder}/www`],
  });
  t.match(image.config, {
    kind: 'c',
    provenance: {
      flags: ['-O2', '-Isources/lib', '-Isources', '-DMODE=2', '-lm'],
      givenFlags: ['-Isources/lib', '-Isources', '-DMODE=2', '-lm'],
      sources: [{ path: 'lib/add.c' }, { path: 'lib/add.h' }, { path: 'main.c' }],
      files: /^sha256:/,
    },
  });
  t.equal(image.config.manner, undefined);
  t.same(
    [...inputs].sort(),
    ['lib/add.c', 'lib/add.h', 'main.c', 'www/index.html'].map((path) => `${a.folder}/${path}`),
  );
  const { whole } = await a.store.read('app');
  t.match(Buffer.from(whole.elf).toString('latin1'), 'packed');
});

t.test('what is wrong is told, with its place, and nothing is stored', async (t) => {
  const a = bench(t, {
    'bad.c': 'int main(void) { return x; }\n',
    'bad.wat': '(module (func (i32.ad)))',
    'simd.wat': '(module (func (export "_start") (drop (v128.const i32x4 0 0 0 0))))',
    'no.wasm': 'no module',
    'app.wat': COMMAND,
    'a.txt': '',
    'only.h': '',
  });
  const fails = (sources: string[], code: string, message: RegExp, more = {}) =>
    t.rejects(a.build({ sources, ...more }), { code, message }, sources.join(' '));
  await fails(
    ['bad.c'],
    'BUILD_FAILED',
    /bad\.c cannot be built: .*\n.*bad\.c:1:25: error: 'x' undeclared/s,
  );
  await fails(['bad.wat'], 'BUILD_FAILED', /bad\.wat:1:16: error/);
  await fails(['simd.wat'], 'MODULE_UNSUPPORTED', /SIMD.*-mno-simd128/);
  await fails(['no.wasm'], 'MODULE_INVALID', /does not begin/);
  await fails(['a.txt'], 'INVALID_ARGUMENT', /neither/);
  await fails(['only.h'], 'INVALID_ARGUMENT', /no \.c file/);
  await fails(['nowhere.c'], 'INVALID_ARGUMENT', /cannot be read/);
  await fails(['app.wat', 'bad.c'], 'INVALID_ARGUMENT', /one WebAssembly module/);
  await fails(['app.wat'], 'INVALID_ARGUMENT', /flags are for C/, { flags: ['-O3'] });
  await fails(['app.wat'], 'INVALID_ARGUMENT', /--memory/, { memoryBytes: 1 << 40 });
  await fails(['bad.c'], 'INVALID_ARGUMENT', /not among the sources/, { flags: ['-I/etc'] });
  await fails(['bad.c'], 'INVALID_ARGUMENT', /not among the sources/, { flags: ['-L', '/usr'] });
  t.same(await a.store.list(), []);
});

t.test('memory of a module that begins with much', async (t) => {
  const a = bench(t, { 'app.wat': COMMAND.replace('") 1)', '") 2000)') });
  await t.rejects(a.build({ sources: ['app.wat'], memoryBytes: 1 << 26 }), /begins with 131072000/);
  const { image } = await a.build({ sources: ['app.wat'] });
  t.same(image.config.limits, { memoryBytes: 141 * 2 ** 20 });
});

t.test('links in what is packed', async (t) => {
  const a = bench(t, {
    'main.c': 'int x;\n',
    www: { real: 'text', sub: {} },
    secret: 'of the host',
  });
  symlinkSync('../real', `${a.folder}/www/sub/inside`);
  const build = (folder: string) => a.build({ sources: ['main.c'], folders: [folder] });
  t.ok(await build(`${a.folder}/www`), 'one that stays inside is followed');
  symlinkSync('../secret', `${a.folder}/www/out`);
  await t.rejects(build(`${a.folder}/www`), { code: 'INVALID_ARGUMENT', message: /leads out of/ });
  await t.rejects(build(`${a.folder}/www/real`), { code: 'INVALID_ARGUMENT' });
  for (const guest of ['', 'srv', '/a/../../b']) {
    await t.rejects(build(`${a.folder}/www:${guest}`), { code: 'INVALID_ARGUMENT' }, guest);
  }
  const sources = bench(t, { 'main.c': 'int x;\n', secret: '', c: {} });
  symlinkSync('/etc/passwd', `${sources.folder}/c/passwd.c`);
  await t.rejects(sources.build({ sources: ['main.c', 'c'] }), /leads out of/);
});

const noLandlock = loadProcessAddon().walls().landlock === 0 && 'this kernel has no Landlock';

t.test('sources cannot read the host', { skip: noLandlock }, async (t) => {
  const a = bench(t, {
    'a.c': '#include "/etc/passwd"\n',
    'b.c': '#include "../../secret.h"\n',
    'secret.h': '#error THE SECRET\n',
  });
  for (const sources of [['a.c'], ['b.c']]) {
    const error = (await a.build({ sources }).catch((error) => error)) as Error;
    t.match(error, { code: 'BUILD_FAILED' });
    t.notMatch(error.message, /root:|THE SECRET/);
  }
});

t.test('a build script that was taken over', async (t) => {
  const scripts: [string, string, RegExp][] = [
    ['says nothing', 'cp $(dirname $0)/hello.elf $1', /reported nothing/],
    [
      'says too much',
      'cp $(dirname $0)/hello.elf $1; echo \'{"tools":1,"flags":[]}\'',
      /reported nothing/,
    ],
    ['makes nothing', 'echo \'{"tools":{},"flags":[]}\'', /made no image\.elf/],
    [
      'makes a link',
      'ln -s /etc/passwd $1; echo \'{"tools":{},"flags":[]}\'',
      /made no image|failed/,
    ],
    ['makes no image', 'echo text > $1; echo \'{"tools":{},"flags":[]}\'', /truncated|not an ELF/],
    ['fails', 'echo why >&2; exit 3', /why/],
  ];
  for (const [what, script, message] of scripts) {
    const a = bench(t, { 'app.wat': COMMAND }, `#!/bin/bash\n${script}\n`);
    await t.rejects(a.build({ sources: ['app.wat'] }), { code: 'BUILD_FAILED', message }, what);
    t.same(await a.store.list(), []);
  }
});

t.test('a machine that lacks the SDK', async (t) => {
  await t.rejects(Sdk.open(`${t.testdir({})}/nowhere`), {
    code: 'BUILD_TOOLS_MISSING',
    message: /guest SDK.*build:images/,
  });
});

t.test('two builds of the same at a time', async (t) => {
  const a = bench(t, { 'app.wat': COMMAND });
  const built = await Promise.all([1, 2].map(() => a.build({ sources: ['app.wat'] })));
  t.equal(built[0]?.image.digest, built[1]?.image.digest);
  t.equal((await a.store.list()).length, 1);
});
