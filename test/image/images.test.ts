import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { Images, ParsedImages } from '../../src/image/images.js';

const BUILT = 'dist/images/hello.elf';

test('a built image is read with its digest, and parsed once', async (t) => {
  const store = new Images();
  const file = await store.read('hello');
  const digest = createHash('sha256')
    .update(await readFile(BUILT))
    .digest('hex');
  t.match(file, { name: 'hello', digest });
  const images = new ParsedImages();
  const image = images.parse(file);
  t.match(image, { name: 'hello', digest });
  t.ok(image.elf.segments.length > 0);
  t.equal(images.parse(structuredClone(await store.read('hello'))), image);
});

test('an image that was built anew is read anew', async (t) => {
  const path = join(t.testdir(), 'own.elf');
  await copyFile(BUILT, path);
  const store = new Images();
  const before = await store.read(path);
  await writeFile(path, Buffer.concat([await readFile(BUILT), Buffer.alloc(1)]));
  t.not((await store.read(path)).digest, before.digest);
});

test('an image may be named by its path', async (t) => {
  t.equal((await new Images().read(`./${BUILT}`)).name, 'hello');
});

test('an image that is missing or was changed is refused', async (t) => {
  const folder = t.testdir({ 'text.elf': 'not an ELF file' });
  const store = new Images(folder);
  await t.rejects(store.read('hello'), {
    code: 'IMAGE_MISSING',
    details: { image: /hello\.elf$/ },
  });
  await copyFile(BUILT, join(folder, 'hello.elf'));
  await t.rejects(store.read('hello'), { code: 'IMAGE_INVALID' }, 'without a checksum');
  await copyFile(`${BUILT}.sha256`, join(folder, 'hello.elf.sha256'));
  t.equal((await store.read('hello')).name, 'hello', 'a failure is not remembered');
  await writeFile(join(folder, 'js.elf'), await readFile(BUILT));
  await writeFile(join(folder, 'js.elf.sha256'), `${'0'.repeat(64)}  js.elf\n`);
  await t.rejects(store.read('js'), { code: 'IMAGE_INVALID', message: /checksum/ });
  const text = await store.read(join(folder, 'text.elf'));
  t.throws(() => new ParsedImages().parse(text), {
    code: 'IMAGE_INVALID',
    message: /text\.elf/,
  });
});
