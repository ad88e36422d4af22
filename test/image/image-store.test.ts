/** Stored images are what their digests say, or are refused; names move, and nothing is lost. */
import { execFile } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { Images } from '../../src/image/images.js';
import { ImageStore } from '../../src/image/store/image-store.js';
import { composeImage, type WholeImage } from '../../src/image/store/layout.js';
import { HELLO_ELF as hello, imageOf, ZEROS } from './composed.js';

function storeOf(t: Test): ImageStore {
  return new ImageStore(`${t.testdir({})}/images`);
}

const hexOf = (digest: string) => digest.slice('sha256:'.length);
const blobOf = (store: ImageStore, digest: string) =>
  `${store.folder}/blobs/sha256/${hexOf(digest)}`;

t.test('it is an OCI image layout', async (t) => {
  const store = storeOf(t);
  t.same(await store.list(), [], 'nothing is there, and nothing is made');
  t.notOk(existsSync(store.folder));
  const image = imageOf('-g');
  t.equal(await store.put(image, 'app'), true);
  t.equal(await store.put(image, 'app'), false, 'the same again changes nothing');
  t.same(readdirSync(store.folder).sort(), ['blobs', 'index.json', 'oci-layout']);
  t.same(JSON.parse(readFileSync(`${store.folder}/oci-layout`, 'utf8')), {
    imageLayoutVersion: '1.0.0',
  });
  const index = JSON.parse(readFileSync(`${store.folder}/index.json`, 'utf8'));
  t.match(index, {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: image.digest,
        annotations: { 'org.opencontainers.image.ref.name': 'app' },
      },
    ],
  });
  t.equal(statSync(store.folder).mode & 0o777, 0o700);
  const manifest = JSON.parse(readFileSync(blobOf(store, image.digest), 'utf8'));
  t.same(readFileSync(blobOf(store, manifest.layers[0].digest)), hello);
});

t.test('names move, and others keep theirs', async (t) => {
  const store = storeOf(t);
  const [one, two] = [imageOf('-g'), imageOf('-O3')];
  await store.put(one, 'app');
  await store.put(one, 'other');
  await store.put(two, 'app');
  t.same(
    (await store.list()).map(({ name, digest }) => [name, digest]),
    [
      ['app', two.digest],
      ['other', one.digest],
    ],
  );
  await store.put(two, 'other');
  t.equal((await store.list()).at(-1)?.name, undefined, 'it has lost its last name');
  t.equal((await store.read(one.digest)).digest, one.digest, 'and is there by its digest');
  t.match(await store.collect(), { images: 1, blobs: 2 }, 'its code is that of the other one');
  await t.rejects(store.read(one.digest), { code: 'IMAGE_UNKNOWN' });
  t.same((await store.read('app')).whole.elf, hello);
  await store.remove('app');
  await t.rejects(store.read('app'), { code: 'IMAGE_UNKNOWN' });
  await store.remove(two.digest);
  await t.rejects(store.remove(two.digest), { code: 'IMAGE_UNKNOWN' });
  t.match(await store.collect(), { images: 0, blobs: 3 });
  t.same(await store.list(), []);
});

t.test('names that are none', async (t) => {
  const store = storeOf(t);
  for (const name of ['', 'A', '../x', 'a/b', ZEROS, 'a'.repeat(64), '-a', 'a b']) {
    await t.rejects(store.put(imageOf('-g'), name), { code: 'INVALID_ARGUMENT' }, name);
  }
});

t.test('what was changed or cut is refused, whichever part it is', async (t) => {
  for (const part of ['manifest', 'config', 'layer'] as const) {
    const store = storeOf(t);
    const image = imageOf('-g');
    await store.put(image, 'app');
    const manifest = JSON.parse(Buffer.from(image.manifest).toString());
    const digest = { manifest: image.digest, config: manifest.config.digest }[part as 'config'];
    const path = blobOf(store, digest ?? manifest.layers[0].digest);
    const right = readFileSync(path);
    const changed = Buffer.from(right);
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    const images = new Images(undefined, store);
    writeFileSync(path, changed);
    await t.rejects(
      images.read('app'),
      { code: 'IMAGE_INVALID', message: /digest/ },
      `${part}: a bit`,
    );
    truncateSync(path, right.length - 1);
    await t.rejects(
      images.read('app'),
      { code: 'IMAGE_INVALID', message: /bytes/ },
      `${part}: cut`,
    );
    await store.put(image, 'app');
    t.same((await images.read('app')).bytes, hello, 'a build repairs it');
  }
});

t.test('an index that is none is not taken for an empty one', async (t) => {
  const store = storeOf(t);
  await store.put(imageOf('-g'), 'app');
  const path = `${store.folder}/index.json`;
  const right = readFileSync(path, 'utf8');
  for (const text of ['', '{', '[]', '{"schemaVersion":1,"manifests":[]}', right.slice(0, -5)]) {
    writeFileSync(path, text);
    await t.rejects(store.list(), { code: 'DATA_UNUSABLE' }, text);
    await t.rejects(store.put(imageOf('-O3'), 'b'), { code: 'DATA_UNUSABLE' });
    t.equal(readFileSync(path, 'utf8'), text, 'and stays');
  }
  writeFileSync(path, right.replace(/sha256:/g, 'sha256:../'));
  await t.rejects(store.read('app'), { code: 'DATA_UNUSABLE' }, 'a digest that leads elsewhere');
  writeFileSync(path, right.replace(/"size":\d+/, '"size":1'));
  await t.rejects(store.read('app'), { code: 'IMAGE_INVALID' });
});

t.test('what is no image of ours is not put in', async (t) => {
  const store = storeOf(t);
  const image = imageOf('-g');
  const wrong: [string, Partial<WholeImage>][] = [
    ['other code', { elf: hello.subarray(1) }],
    ['another configuration', { config: Buffer.from('{}') }],
    ['another manifest', { manifest: Buffer.from('{}') }],
    ['another digest', { digest: ZEROS }],
  ];
  for (const [what, change] of wrong) {
    await t.rejects(store.put({ ...image, ...change }, 'app'), { code: 'IMAGE_INVALID' }, what);
  }
  const text = composeImage(
    JSON.parse(Buffer.from(image.config).toString()),
    Buffer.from('no ELF'),
  );
  await t.rejects(store.put(text, 'app'), { code: 'IMAGE_INVALID' });
  const config = JSON.parse(Buffer.from(image.config).toString());
  const later = composeImage({ ...config, abiVersion: 2 }, hello);
  await t.rejects(store.put(later, 'app'), { code: 'IMAGE_INVALID', message: /ABI version 2/ });
  t.same(await store.list(), []);
});

t.test('many processes put images in at a time', async (t) => {
  const store = storeOf(t);
  const script = `
    const { ImageStore } = await import('${new URL('../../src/image/store/image-store.js', import.meta.url)}');
    const { composeImage } = await import('${new URL('../../src/image/store/layout.js', import.meta.url)}');
    const { readFileSync } = await import('node:fs');
    const [folder, hello, config, from] = process.argv.slice(1);
    const store = new ImageStore(folder);
    for (let i = 0; i < 5; i++) {
      const changed = { ...JSON.parse(config), entry: '0x' + (Number(from) + i).toString(16) };
      await store.put(composeImage(changed, readFileSync(hello)), 'app' + (Number(from) + i));
      if (i === 2) await store.collect();
    }`;
  const config = Buffer.from(imageOf('-g').config).toString();
  const path = fileURLToPath(new URL('../../images/hello.elf', import.meta.url));
  await Promise.all(
    [0, 10, 20, 30].map((from) =>
      promisify(execFile)(process.execPath, [
        ...['--input-type=module', '-e', script, store.folder, path, config, String(from)],
      ]),
    ),
  );
  const names = (await store.list()).map(({ name }) => name);
  t.equal(new Set(names).size, 20);
  t.same(readdirSync(store.folder).sort(), ['blobs', 'index.json', 'oci-layout']);
});

t.test('to another folder and back', async (t) => {
  const [store, folder] = [storeOf(t), `${t.testdir({})}/pushed`];
  const image = imageOf('-g', { memoryBytes: 1 << 25 });
  await store.put(image, 'app');
  const pushed = new ImageStore(folder);
  await pushed.put((await store.read('app')).whole, 'app');
  t.equal((await pushed.inspect('app')).digest, image.digest);
  t.same((await pushed.inspect('app')).config.limits, { memoryBytes: 1 << 25 });
});

t.test('functions name stored images', async (t) => {
  const store = storeOf(t);
  const image = imageOf('-g', { memoryBytes: 1 << 25 });
  await store.put(image, 'app');
  await store.put(imageOf('-O3'), 'js');
  const images = new Images(undefined, store);
  t.match(await images.read('app'), { name: 'app', limits: { memoryBytes: 1 << 25 } });
  t.match(await images.read(image.digest), { bytes: hello });
  t.not((await images.read('js')).bytes.length, hello.length, 'js is the one of the package');
  t.equal(await images.read('app'), await images.read('app'), 'its bytes are shared');
  for (const reference of ['nowhere', ZEROS]) {
    await t.rejects(images.read(reference), { code: 'IMAGE_MISSING' }, reference);
  }
});
