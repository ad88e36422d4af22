/** Images that clients send: what is right can be deployed and stays; what is wrong leaves nothing. */
import { mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { digestOf } from '../../src/image/store/layout.js';
import { noDriver } from '../drivers/default-driver.js';
import { HELLO_ELF, imageOf, ZEROS } from '../image/composed.js';
import { until } from '../supervisor/functions.js';
import { startControl } from './control-under-test.js';
import { answerTo, keptFiles, putBlob, putImage, putManifest, sendBlob } from './uploading.js';

const partsOf = (image: ReturnType<typeof imageOf>) =>
  [image.config, image.elf].map((bytes) => ({ digest: digestOf(bytes), size: bytes.length }));
const blobPath = (data: string, digest: string) =>
  `${data}/uploads/blobs/sha256/${digest.slice('sha256:'.length)}`;

t.test('an image that is sent is served, and kept', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  let server = await startControl({ data });
  t.teardown(() => server.close());
  const [image, other] = [imageOf('-g', { memoryBytes: 32 << 20 }), imageOf('-O3')];
  const parts = partsOf(image);
  const ask = await server.ask('POST', '/v1/blobs/missing', { blobs: parts });
  t.match(ask, { status: 200, body: { missing: parts.map(({ digest }) => digest) } });
  t.match(await putBlob(server, image.config), { status: 201, body: parts[0] });
  t.same(
    (await server.ask('POST', '/v1/blobs/missing', { blobs: parts })).body.missing,
    [parts[1]?.digest],
    'one is here',
  );
  t.match(await server.ask('PUT', '/v1/functions/app', { image: image.digest }), {
    status: 503,
    body: { code: 'IMAGE_MISSING' },
  });
  t.match(await putBlob(server, image.elf), { status: 201 });
  t.match(await putManifest(server, image.manifest), {
    status: 201,
    body: { digest: image.digest, kind: 'c', size: HELLO_ELF.length, memoryBytes: 32 << 20 },
  });
  t.match(await putManifest(server, image.manifest), { status: 201 }, 'again');
  const deploy = (digest: string) => server.ask('PUT', '/v1/functions/app', { image: digest });
  t.match(await deploy(image.digest), { status: 200, body: { version: 1 } });
  const get = async () => (await fetch(`${server.front}/app/`)).text();
  t.match(await get(), /hello/);
  await putImage(server, other);
  t.match(await deploy(other.digest), { status: 200, body: { version: 2 } });
  t.match((await server.ask('GET', '/v1/images')).body, {
    images: [
      { digest: image.digest, functions: [] },
      { digest: other.digest, functions: ['app'] },
    ],
    bytes: Number,
  });
  t.match((await server.ask('POST', '/v1/instances', { image: other.digest })).body, {
    state: 'ready',
  });

  await server.close();
  server = await startControl({ data });
  t.match(await get(), /hello/, 'after a restart');
  t.match((await server.ask('POST', '/v1/functions/app/rollback', {})).body, { version: 1 });
  t.match(await get(), /hello/);
});

t.test('hostile uploads', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  const limits = { imageBytes: 2 << 20, totalBytes: 6 << 20 };
  const timeouts = { headMilliseconds: 2_000, requestMilliseconds: 1_000 };
  const server = await startControl({ data, uploads: limits, timeouts });
  t.teardown(() => server.close());
  const image = imageOf('-g');

  t.test('blobs that are not what they are called', async (t) => {
    const digest = digestOf(image.elf);
    const changed = Buffer.from(image.elf);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const wrong = [changed, image.elf.subarray(0, -1), Buffer.concat([image.elf, changed])];
    for (const bytes of [...wrong, Buffer.alloc(0)]) {
      t.match(await putBlob(server, bytes, digest), {
        status: 422,
        body: { code: 'UPLOAD_INVALID', details: { digest } },
      });
    }
    t.same(keptFiles(data), []);
  });

  t.test('more than there may be', async (t) => {
    const big = Buffer.alloc(limits.imageBytes + 1);
    const tooLarge = { status: 413, body: { code: 'UPLOAD_TOO_LARGE' } };
    const asked = { blobs: [{ digest: digestOf(big), size: big.length }] };
    t.match(await server.ask('POST', '/v1/blobs/missing', asked), tooLarge);
    const announced = sendBlob(server, digestOf(big), { 'content-length': big.length });
    announced.flushHeaders();
    t.match(await answerTo(announced), tooLarge, 'before any of it came');
    const endless = sendBlob(server, digestOf(big));
    const answer = answerTo(endless);
    for (let sent = 0; sent <= big.length; sent += 1 << 16) {
      endless.write(big.subarray(0, 1 << 16));
    }
    t.match(await answer, tooLarge, 'though it never said so, nor ended');
    for (const seed of [1, 2, 3, 4]) {
      const { status } = await putBlob(server, Buffer.alloc(limits.imageBytes - 1, seed));
      t.equal(status, seed < 4 ? 201 : 507, 'no room for a fourth');
    }
    t.match(await putImage(server, image), { status: 409 }, 'nor for a small one');
    rmSync(`${data}/uploads/blobs`, { recursive: true });
    await putBlob(server, Buffer.from('x'));
    rmSync(`${data}/uploads/blobs`, { recursive: true });
  });

  t.test('paths for digests', async (t) => {
    const up = `sha256:${'../'.repeat(21)}x`;
    const tricks = [
      ...['..', '../../token', '%2e%2e%2f%2e%2e%2ftoken', 'sha256:', 'sha256:..', `${ZEROS}0`],
      ...[ZEROS.toUpperCase(), `${ZEROS.slice(0, -1)}G`, ZEROS.slice(7), `${ZEROS}%00`, up],
      ...[encodeURIComponent(up), `${ZEROS}%0a`, `${ZEROS}/..`, `sha512:${'0'.repeat(128)}`],
    ];
    const token = readFileSync(`${data}/token`, 'utf8');
    for (const trick of tricks) {
      const { status } = await putBlob(server, Buffer.from('x'), trick);
      t.match(String(status), /^(400|404|405)$/, trick);
      const manifest = await server.ask('PUT', `/v1/images/${trick}`, { manifest: '{}' });
      t.match(String(manifest.status), /^(400|404)$/, trick);
      const named = decodeURIComponent(trick);
      const asked = { blobs: [{ digest: named, size: 1 }] };
      t.match(await server.ask('POST', '/v1/blobs/missing', asked), { status: 400 });
      const parsed = JSON.parse(Buffer.from(image.manifest).toString());
      parsed.layers[0].digest = named;
      t.match(await putManifest(server, JSON.stringify(parsed)), { status: 422 }, 'in a manifest');
    }
    t.equal(readFileSync(`${data}/token`, 'utf8'), token);
    t.same(keptFiles(data), []);
  });

  t.test('manifests', async (t) => {
    t.match(await putManifest(server, image.manifest), {
      status: 409,
      body: {
        code: 'BLOBS_MISSING',
        details: { digests: partsOf(image).map(({ digest }) => digest) },
      },
    });
    const old = imageOf('-g', {}, { abiVersion: 99 });
    const text = Buffer.from('no ELF file, and no configuration');
    for (const bytes of [image.config, image.elf, old.config, text]) {
      t.match(await putBlob(server, bytes), { status: 201 });
    }
    const right = JSON.parse(Buffer.from(image.manifest).toString());
    const [layer] = right.layers;
    const ofText = { digest: digestOf(text), size: text.length };
    const wrong: [string, object][] = [
      ['a layer of another type', { layers: [{ ...layer, mediaType: 'application/x-tar' }] }],
      ['two layers', { layers: [layer, layer] }],
      ['no layer', { layers: [] }],
      ['a layer that is no ELF file', { layers: [{ ...layer, ...ofText }] }],
      ['a configuration that is none', { config: { ...right.config, ...ofText } }],
      ['code for a configuration', { config: { ...right.config, digest: layer.digest } }],
      ['another kind of artifact', { artifactType: 'application/vnd.docker' }],
      ['a negative size', { layers: [{ ...layer, size: -1 }] }],
      ['a size that is none', { layers: [{ ...layer, size: '1' }] }],
    ];
    for (const [what, changes] of wrong) {
      const answer = await putManifest(server, JSON.stringify({ ...right, ...changes }));
      t.match(String(answer.status), what.startsWith('code for') ? /^409$/ : /^422$/, what);
    }
    t.match(await putManifest(server, old.manifest), {
      status: 422,
      body: { code: 'UPLOAD_INVALID', message: /ABI/ },
    });
    const size = { layers: [{ ...layer, size: layer.size + 1 }] };
    t.match(await putManifest(server, JSON.stringify({ ...right, ...size })), { status: 409 });
    const large = { layers: [{ ...layer, size: limits.imageBytes + 1 }] };
    t.match(await putManifest(server, JSON.stringify({ ...right, ...large })), { status: 413 });
    for (const none of ['', '[]', 'null', '{', '{"schemaVersion":2}', `"${'x'.repeat(20_000)}"`]) {
      t.match(await putManifest(server, none), { status: 422 }, none.slice(0, 20));
    }
    t.match(await putManifest(server, image.manifest, ZEROS), { status: 422 }, 'another digest');
    t.same((await server.ask('GET', '/v1/images')).body.images, [], 'none of them is there');
    t.match(await putManifest(server, image.manifest), { status: 201 }, 'the right one is');
  });

  t.test('who may, and in which form', async (t) => {
    const { body } = await server.ask('POST', '/v1/tokens', { name: 'r', scopes: ['read'] });
    const reader = { ...server, token: body.token };
    t.match(await putBlob(reader, image.elf), { status: 403 });
    t.match(await putBlob({ ...server, token: 'x' }, image.elf), { status: 401 });
    const json = sendBlob(server, ZEROS, { 'content-type': 'application/json' });
    json.end('{}');
    t.match(await answerTo(json), { status: 415 });
    const response = await fetch(`${server.url}/v1/functions/app`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${server.token}`,
        'content-type': 'application/octet-stream',
      },
      body: '{}',
    });
    t.equal(response.status, 415, 'nothing else takes bytes');
  });

  t.test('who pauses, is cut off, or comes with many', async (t) => {
    const before = keptFiles(data);
    const late = imageOf('-late');
    const paused = sendBlob(server, digestOf(late.config), { 'content-length': 1_000 });
    paused.write('x');
    t.match(await answerTo(paused), { status: 408, body: { code: 'REQUEST_TIMEOUT' } });
    const cut = sendBlob(server, digestOf(late.config), { 'content-length': 1_000 });
    cut.on('error', () => {});
    cut.write('x');
    await until(() => keptFiles(data).length > before.length);
    cut.destroy();
    await until(() => keptFiles(data).length === before.length);
    t.same(keptFiles(data), before);
    const many = Array.from({ length: 16 }, () => sendBlob(server, digestOf(late.config)));
    for (const one of many) {
      one.on('error', () => {});
      one.write('x');
    }
    await until(() => keptFiles(data).length === before.length + 16);
    t.match(await putBlob(server, late.config), { status: 503, body: { code: 'OVERLOADED' } });
    for (const one of many) {
      one.destroy();
    }
    await until(() => keptFiles(data).length === before.length);
    t.match(await putBlob(server, late.config), { status: 201 }, 'then there is place again');
  });

  t.test('a slow one that goes on may take its time', async (t) => {
    const bytes = Buffer.from('slowly, but it comes');
    const slow = sendBlob(server, digestOf(bytes), { 'content-length': bytes.length });
    const answer = answerTo(slow);
    for (const byte of bytes) {
      slow.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    slow.end();
    t.match(await answer, { status: 201 }, `after ${80 * bytes.length} ms`);
  });
});

t.test('two clients at once', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  const server = await startControl({ data });
  t.teardown(() => server.close());
  const images = [imageOf('-g'), imageOf('-g'), imageOf('-O3'), imageOf('-O1')];
  const answers = await Promise.all(images.map((image) => putImage(server, image)));
  t.same(
    answers.map(({ status }) => status),
    images.map(() => 201),
  );
  t.equal((await server.ask('GET', '/v1/images')).body.images.length, 3);
  t.equal(keptFiles(data).length, 7, 'they share their code');
});

t.test('what nothing needs goes after a while', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  let server = await startControl({ data });
  t.teardown(() => server.close());
  const [used, before, unused] = [imageOf('-g'), imageOf('-O3'), imageOf('-O1')];
  for (const image of [used, before, unused]) {
    await putImage(server, image);
  }
  await server.ask('PUT', '/v1/functions/app', { image: before.digest });
  await server.ask('PUT', '/v1/functions/app', { image: used.digest });
  await putBlob(server, Buffer.from('nobody comes for it'));
  const restart = async () => {
    await server.close();
    mkdirSync(`${data}/uploads/incoming`, { recursive: true });
    writeFileSync(`${data}/uploads/incoming/0123456789abcdef`, 'left by a killed server');
    server = await startControl({ data });
  };
  await restart();
  t.equal(keptFiles(data).length, 3 + 3 + 1 + 1, 'what is young stays, but for what never came');
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const file of keptFiles(data)) {
    utimesSync(`${data}/uploads/${file}`, old, old);
  }
  await restart();
  await until(() => keptFiles(data).length === 2 + 2 + 1);
  t.same(
    (await server.ask('GET', '/v1/images')).body.images.map(
      ({ digest }: { digest: string }) => digest,
    ),
    [used.digest, before.digest],
    'also that of an earlier version',
  );
  t.match((await server.ask('POST', '/v1/functions/app/rollback', {})).body, { version: 1 });
});

t.test('what changed on the disk can be sent again', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  const server = await startControl({ data });
  t.teardown(() => server.close());
  const image = imageOf('-g');
  await putImage(server, image);
  const path = blobPath(data, digestOf(image.elf));
  const changed = readFileSync(path);
  changed[1_000] = (changed[1_000] ?? 0) ^ 1;
  writeFileSync(path, changed);
  const deploy = () => server.ask('PUT', '/v1/functions/app', { image: image.digest });
  t.match(await deploy(), { status: 500, body: { code: 'IMAGE_INVALID' } });
  t.match(await putManifest(server, image.manifest), {
    status: 409,
    body: { details: { digests: [digestOf(image.elf)] } },
  });
  t.match(await putImage(server, image), { status: 201 });
  t.match(await deploy(), { status: 200 });
  truncateSync(path, 10);
  const asked = { blobs: partsOf(image) };
  t.same((await server.ask('POST', '/v1/blobs/missing', asked)).body.missing, [
    digestOf(image.elf),
  ]);
});
