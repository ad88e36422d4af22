/** The client sends of an image what is missing, and tells how far it is. */
import { rmSync } from 'node:fs';
import t from 'tap';
import { HatcheryClient } from '../../src/client/index.js';
import { digestOf } from '../../src/image/store/layout.js';
import { startControl } from '../control/control-under-test.js';
import { noDriver } from '../drivers/default-driver.js';
import { HELLO_ELF, imageOf } from '../image/composed.js';

t.test('images', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  const server = await startControl({ data, uploads: { imageBytes: HELLO_ELF.length } });
  t.teardown(() => server.close());
  const { images, functions } = new HatcheryClient({ server: server.url, token: server.token });
  const [image, other] = [imageOf('-g'), imageOf('-O3')];

  t.test('the first one, and one with the same code', async (t) => {
    const steps: [number, number][] = [];
    const total = image.config.length + image.elf.length;
    const sent = await images.upload(image, { onProgress: (...step) => steps.push(step) });
    t.match(sent, { digest: image.digest, kind: 'c', sentBlobs: 2, sentBytes: total });
    t.ok(steps.length > 1 && steps.every(([, all]) => all === total));
    t.same(steps.at(-1), [total, total]);
    t.match(await images.upload(other), { sentBlobs: 1, sentBytes: other.config.length });
    t.match(await images.upload(other), { sentBlobs: 0, sentBytes: 0 });
    t.match(await functions.deploy('app', { image: image.digest }), { version: 1 });
    t.match(await images.list(), {
      images: [{ digest: image.digest, functions: ['app'] }, { digest: other.digest }],
    });
  });

  t.test('what was lost there is sent again', async (t) => {
    const hex = digestOf(image.elf).slice('sha256:'.length);
    rmSync(`${data}/uploads/blobs/sha256/${hex}`);
    t.match(await images.upload(image), { sentBlobs: 1, sentBytes: image.elf.length });
  });

  t.test('what is refused', async (t) => {
    const large = { ...image, elf: Buffer.concat([image.elf, Buffer.from('x')]) };
    await t.rejects(images.upload(large), { code: 'UPLOAD_TOO_LARGE', status: 413 });
    const changed = Buffer.from(image.elf);
    changed[0] = 0;
    await t.rejects(images.putBlob(digestOf(image.elf), changed), { code: 'UPLOAD_INVALID' });
    await t.rejects(images.put(other.digest, '{}'), { code: 'UPLOAD_INVALID', status: 422 });
    const stopped = AbortSignal.abort();
    await t.rejects(images.putBlob(image.digest, image.manifest, stopped), { name: 'AbortError' });
  });
});
