/** Images that functions of servers need are neither collected nor removed. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { FunctionStore, KEPT_VERSIONS } from '../../src/control/data/function-store.js';
import { usesOf } from '../../src/control/data/image-uses.js';
import { SecretBox } from '../../src/control/data/secret-box.js';
import { ImageStore } from '../../src/image/store/image-store.js';
import { composeImage, type WholeImage } from '../../src/image/store/layout.js';
import { settings } from './settings.js';

const hello = readFileSync(fileURLToPath(new URL('../../images/hello.elf', import.meta.url)));
const ZEROS = `sha256:${'0'.repeat(64)}` as const;

function imageOf(flag: string): WholeImage {
  const provenance = { tools: {}, flags: [], givenFlags: [flag], sdk: ZEROS, sources: [] };
  const config = { abiVersion: 1, kind: 'c' as const, entry: '0x4000000', limits: {}, provenance };
  return composeImage(config, hello);
}

/** A store with an image `app` and one that had that name before, and two servers' data. */
async function world(t: Test) {
  const folder = t.testdir({ one: {}, two: {} });
  const store = new ImageStore(`${folder}/images`);
  const [old, app] = [imageOf('-g'), imageOf('-O3')];
  await store.put(old, 'app');
  await store.put(app, 'app');
  const server = async (name: string) => {
    const data = `${folder}/${name}`;
    const functions = await FunctionStore.open(data, await SecretBox.open(data, {}));
    const deploy = (fn: string, image: string) =>
      store.using(image, data, () =>
        functions.add(fn, { settings: settings({ image }), secrets: {} }),
      );
    return { data, functions, deploy };
  };
  return {
    ...{ store, old, app, one: await server('one'), two: await server('two') },
    uses: () => usesOf(store),
  };
}

t.test('what a function needs by its digest is kept, and it is said for whom', async (t) => {
  const { store, old, one, two, uses } = await world(t);
  await one.deploy('first', old.digest);
  await two.deploy('second', old.digest);
  const needed = { image: old.digest };
  const kept = [
    { ...needed, function: 'first', data: one.data },
    { ...needed, function: 'second', data: two.data },
  ];
  const byData = (a: { data: string }, b: { data: string }) => (a.data < b.data ? -1 : 1);
  const collected = await store.collect(uses);
  t.match(collected, { images: 0, blobs: 0, bytes: 0 });
  t.same([...collected.kept].sort(byData), kept);
  t.equal((await store.read(old.digest)).digest, old.digest, 'and all of it is there');
  await t.rejects(store.remove(old.digest, uses), {
    ...{ code: 'IMAGE_IN_USE', status: 409 },
    message: /needed by (first, second|second, first),/,
  });
  await one.functions.remove('first');
  t.match(await store.collect(uses), { images: 0, kept: [kept[1]] });
  await two.functions.remove('second');
  t.match(await store.collect(uses), { images: 1, blobs: 2, kept: [] });
});

t.test('a version that is kept for a rollback needs its image', async (t) => {
  const { store, old, one, uses } = await world(t);
  await one.deploy('f', old.digest);
  for (let version = 1; version < KEPT_VERSIONS; version += 1) {
    await one.deploy('f', 'app');
  }
  t.match(await store.collect(uses), { images: 0 });
  await one.deploy('f', 'app');
  t.match(await store.collect(uses), { images: 1 });
});

t.test('a name that a function needs is not taken away', async (t) => {
  const { store, app, one, uses } = await world(t);
  await store.put(app, 'other');
  await one.deploy('f', 'app');
  await store.remove('other', uses);
  for (const reference of ['app', app.digest]) {
    await t.rejects(store.remove(reference, uses), { code: 'IMAGE_IN_USE' }, reference);
  }
  t.equal((await store.read('app')).digest, app.digest);
  await store.remove('app');
  t.notOk(await store.has('app'), 'by force');
});

t.test('one of two names may go where the digest is needed', async (t) => {
  const { store, app, one, uses } = await world(t);
  await store.put(app, 'other');
  await one.deploy('f', app.digest);
  await store.remove('other', uses);
  await t.rejects(store.remove('app', uses), { code: 'IMAGE_IN_USE' }, 'the last');
});

t.test('images of Hatchery and of nobody are none of the store’s business', async (t) => {
  const { store, one } = await world(t);
  await one.deploy('f', 'js');
  t.same(await store.users.list(), []);
});

t.test('a server whose data is gone needs nothing', async (t) => {
  const { store, old, one, uses } = await world(t);
  await one.deploy('f', old.digest);
  t.same(await store.users.list(), [one.data]);
  rmSync(one.data, { recursive: true });
  t.match(await store.collect(uses), { images: 1, kept: [] });
  t.same(await store.users.list(), [], 'and is forgotten');
});

t.test('where it cannot be told, nothing is removed', async (t) => {
  const { store, old, one, uses } = await world(t);
  await one.deploy('f', old.digest);
  const index = `${one.data}/functions/f/index.json`;
  renameSync(index, `${index}.aside`);
  writeFileSync(index, '{');
  await t.rejects(store.collect(uses), { code: 'DATA_UNUSABLE' });
  renameSync(`${index}.aside`, index);
  // What is broken does not start, so it needs nothing; the others do.
  await one.deploy('g', old.digest);
  writeFileSync(`${one.data}/functions/f/1.json`, '{}');
  t.match(await store.collect(uses), { images: 0, kept: [{ function: 'g' }] });
});

t.test('nobody collects between the look at an image and the deployment', async (t) => {
  const { store, old, one, uses } = await world(t);
  let collecting: Promise<unknown> | undefined;
  await store.using(old.digest, one.data, async () => {
    collecting = store.collect(uses);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await one.functions.add('f', { settings: settings({ image: old.digest }), secrets: {} });
  });
  t.match(await collecting, { images: 0, kept: [{ function: 'f' }] });
  await one.functions.remove('f');
  await store.collect(uses);
  const deployed = one.deploy('f', old.digest);
  await t.resolves(deployed, 'what the store never had is somebody else’s business');
});
