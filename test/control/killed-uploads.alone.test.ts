/** Servers that are killed while an image comes: it is there whole, or can be sent again. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { HatcheryClient } from '../../src/client/index.js';
import { digestOf } from '../../src/image/store/layout.js';
import { MAIN, Served } from '../cli/command.js';
import { noDriver } from '../drivers/default-driver.js';
import { imageOf } from '../image/composed.js';
import { until } from '../supervisor/functions.js';
import { keptFiles, sendBlob } from './uploading.js';

const KILLS = 6;
/** An upload takes less. */
const LATEST_MILLISECONDS = 60;

t.test('servers that are killed while images come', { skip: noDriver }, async (t) => {
  const data = `${t.testdir()}/data`;
  let server: Served;
  let front = '';
  const start = async () => {
    server = new Served(['--control-port', '0', '--data', data], {}, [MAIN], 'up');
    const listening = await server.next('listening');
    t.same(listening.failed, []);
    front = String(listening.url);
    const token = readFileSync(`${data}/token`, 'utf8').trim();
    const url = String(listening.control);
    return { url, token, client: new HatcheryClient({ server: url, token }) };
  };
  const kill = async () => {
    server.kill('SIGKILL');
    await server.end;
  };
  t.teardown(kill);
  const incoming = () => keptFiles(data).filter((file) => file.startsWith('incoming')).length;

  let reach = await start();
  const first = imageOf('-g');
  const half = sendBlob(reach, digestOf(first.elf), { 'content-length': first.elf.length });
  half.on('error', () => {});
  half.write(first.elf.subarray(0, 30_000));
  await until(() => incoming() === 1);
  await kill();
  reach = await start();
  t.same(keptFiles(data), [], 'half a blob is none');
  await reach.client.images.putBlob(digestOf(first.elf), first.elf);
  await kill();
  reach = await start();
  t.match(await reach.client.images.upload(first), { sentBlobs: 1 }, 'what came whole stays');
  await reach.client.functions.deploy('app', { image: first.digest });

  for (let turn = 1; turn <= KILLS; turn += 1) {
    const image = imageOf(`-D${turn}`);
    const uploading = reach.client.images.upload(image).then(
      () => true,
      () => false,
    );
    await sleep(Math.random() * LATEST_MILLISECONDS);
    await kill();
    const isAcknowledged = await uploading;
    reach = await start();
    t.equal(incoming(), 0);
    const { images } = await reach.client.images.list();
    const isThere = images.some(({ digest }) => digest === image.digest);
    t.ok(isThere || !isAcknowledged, `${turn}: acknowledged ${isAcknowledged}, there ${isThere}`);
    await reach.client.images.upload(image);
    await reach.client.functions.deploy('app', { image: image.digest });
    t.match(await (await fetch(`${front}/app/`)).text(), /hello/);
  }
});
