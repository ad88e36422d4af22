/** What a server keeps of its functions, and what it does with what it cannot read. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { DataFolder } from '../../src/control/data/data-folder.js';
import { FunctionStore, KEPT_VERSIONS } from '../../src/control/data/function-store.js';
import { SecretBox } from '../../src/control/data/secret-box.js';
import { defaultDataFolder } from '../../src/data-path.js';
import { settings } from './settings.js';

const KEY = 'ab'.repeat(32);

async function open(folder: string, environment: NodeJS.ProcessEnv = {}) {
  return FunctionStore.open(folder, await SecretBox.open(folder, environment));
}

/** All that is on disk. */
function everything(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

t.test('versions are kept, can be read again, and be made current', async (t) => {
  const folder = t.testdir();
  const store = await open(folder);
  await store.add('app', { settings: settings({ env: { A: '1' } }), secrets: { S: 'first' } });
  await store.add('app', { settings: settings({ env: { A: '2' } }), secrets: { S: 'second' } });
  t.equal(store.get('app')?.current, 2);
  await store.makeCurrent('app', 1);
  const again = await open(folder);
  t.equal(again.get('app')?.current, 1);
  t.match(await again.read('app'), { settings: { env: { A: '1' } }, secrets: { S: 'first' } });
  t.match(await again.read('app', 2), { secrets: { S: 'second' } });
  const third = await again.add('app', { settings: settings(), secrets: {} });
  t.equal(third.current, 3, 'a number is never given twice');
  await t.rejects(again.makeCurrent('app', 9), { code: 'VERSION_MISSING' });
  await t.rejects(again.read('other'), { code: 'FUNCTION_MISSING' });
});

t.test('the oldest versions go', async (t) => {
  const folder = t.testdir();
  const store = await open(folder);
  for (let count = 0; count < KEPT_VERSIONS + 2; count += 1) {
    await store.add('app', { settings: settings(), secrets: {} });
  }
  t.equal(store.get('app')?.versions.length, KEPT_VERSIONS);
  t.equal(readdirSync(`${folder}/functions/app`).length, KEPT_VERSIONS + 1);
  await t.rejects(store.read('app', 1), { code: 'VERSION_MISSING' });
});

t.test('a function that is removed is gone', async (t) => {
  const folder = t.testdir();
  const store = await open(folder);
  await store.add('app', { settings: settings(), secrets: {} });
  await store.remove('app');
  t.same(store.list(), []);
  t.same(readdirSync(`${folder}/functions`), []);
  await t.rejects(store.remove('app'), { code: 'FUNCTION_MISSING' });
  t.same((await open(folder)).list(), []);
});

t.test('secrets', async (t) => {
  t.test('are on disk in no readable form', async (t) => {
    const folder = t.testdir();
    const store = await open(folder);
    const add = () => store.add('app', { settings: settings(), secrets: { S: 'do-not-tell' } });
    await add();
    await add();
    const all = everything(folder);
    t.notMatch(all, 'do-not-tell');
    t.notMatch(all, Buffer.from('do-not-tell').toString('base64'));
    t.equal(statSync(`${folder}/key`).mode & 0o777, 0o600);
    const sealed = [1, 2].map(
      (n) => JSON.parse(readFileSync(`${folder}/functions/app/${n}.json`, 'utf8')).secrets.S,
    );
    t.not(sealed[0], sealed[1], 'the same secret is sealed otherwise each time');
  });

  t.test('open with their key only', async (t) => {
    const folder = t.testdir();
    const environment = { HATCHERY_KEY: KEY };
    const store = await open(folder, environment);
    t.same(environment, {}, 'no child is to inherit the key');
    t.same(readdirSync(folder), ['functions'], 'no key file where the key is given');
    await store.add('app', { settings: settings(), secrets: { S: 'x' } });
    t.match(await (await open(folder, { HATCHERY_KEY: KEY })).read('app'), { secrets: { S: 'x' } });
    await t.rejects((await open(folder, { HATCHERY_KEY: 'cd'.repeat(32) })).read('app'), {
      code: 'DATA_UNUSABLE',
    });
  });

  t.test('cannot be moved', async (t) => {
    const box = await SecretBox.open(t.testdir(), {});
    t.equal(box.open(box.seal('ünï', 'a'), 'a'), 'ünï');
    t.throws(() => box.open(box.seal('x', 'a'), 'b'), { code: 'DATA_UNUSABLE' });
    t.throws(() => box.open('', 'a'), { code: 'DATA_UNUSABLE' });
    const changed = Buffer.from(box.seal('x', 'a'), 'base64');
    changed.writeUInt8(changed.readUInt8(12) ^ 1, 12);
    t.throws(() => box.open(changed.toString('base64'), 'a'), { code: 'DATA_UNUSABLE' });
  });

  t.test('need a key that is one, and that nobody else can read', async (t) => {
    for (const key of ['', 'short', `${KEY}00`, 'zz'.repeat(32)]) {
      await t.rejects(SecretBox.open(t.testdir(), { HATCHERY_KEY: key }), {
        code: 'DATA_UNUSABLE',
        message: /hexadecimal/,
      });
    }
    const folder = t.testdir({ key: KEY });
    chmodSync(`${folder}/key`, 0o644);
    await t.rejects(SecretBox.open(folder, {}), { code: 'DATA_UNUSABLE', message: /chmod 600/ });
  });
});

t.test('what is broken is said, and not served', async (t) => {
  const broken = async (change: (path: string) => void) => {
    const folder = t.testdir({});
    const store = await open(folder);
    await store.add('app', { settings: settings({ env: { A: '1' } }), secrets: {} });
    change(`${folder}/functions/app`);
    return (await open(folder)).read('app');
  };
  const flip = (path: string) =>
    writeFileSync(path, readFileSync(path, 'utf8').replace('"A":"1"', '"A":"2"'));
  await t.rejects(
    broken((path) => flip(`${path}/1.json`)),
    { message: /checksum/ },
  );
  await t.rejects(
    broken((path) => writeFileSync(`${path}/index.json`, '{"name":"app"')),
    {
      code: 'DATA_UNUSABLE',
    },
  );
  await t.rejects(
    broken((path) => writeFileSync(`${path}/index.json`, '{"name":"app"}')),
    {
      code: 'DATA_UNUSABLE',
    },
  );
});

t.test('the folder', async (t) => {
  t.test('is for one server at a time, and its owner alone', async (t) => {
    const path = join(t.testdir(), 'deep', 'data');
    const folder = await DataFolder.open(path);
    t.equal(statSync(path).mode & 0o777, 0o700);
    await t.rejects(DataFolder.open(path), { code: 'DATA_IN_USE' });
    await folder.close();
    await (await DataFolder.open(path)).close();
    chmodSync(path, 0o755);
    await t.rejects(DataFolder.open(path), { code: 'DATA_UNUSABLE', message: /chmod 700/ });
    writeFileSync(`${path}-file`, '');
    await t.rejects(DataFolder.open(`${path}-file`), { code: 'DATA_UNUSABLE' });
  });

  t.test('is XDG’s by default', async (t) => {
    t.equal(defaultDataFolder({ XDG_DATA_HOME: '/x' }), '/x/hatchery');
    t.match(defaultDataFolder({ XDG_DATA_HOME: 'relative' }), /\/\.local\/share\/hatchery$/);
    t.match(defaultDataFolder({}), /\/\.local\/share\/hatchery$/);
  });

  t.test('what was left half done is taken away', async (t) => {
    const path = t.testdir();
    const store = await open(path);
    await store.add('app', { settings: settings(), secrets: {} });
    const app = `${path}/functions/app`;
    writeFileSync(`${app}/.0123456789abcdef.tmp`, 'half');
    writeFileSync(`${app}/2.json`, '{"a version":"that was never named"}');
    mkdirSync(`${path}/functions/begun`);
    writeFileSync(`${path}/functions/begun/1.json`, '{}');
    t.equal((await open(path)).list().length, 1);
    t.same(readdirSync(app).sort(), ['1.json', 'index.json']);
    t.same(readdirSync(`${path}/functions`), ['app']);
  });
});
