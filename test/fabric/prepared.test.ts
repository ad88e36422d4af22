/** A function that was prepared in one place and is deployed in another. */
import t from 'tap';
import { prepareFunction } from '../../src/fabric/prepared.js';
import { Images } from '../../src/image/images.js';
import { untestable } from '../drivers/driver-under-test.js';
import { openFabric, slowedDown } from './fabric-under-test.js';

const images = new Images();

t.test('what is prepared is plain data', async (t) => {
  const prepared = await prepareFunction(
    {
      name: 'plain',
      source: `export default { fetch: () => new Response('x') };`,
      bindings: { now: () => Date.now() },
    },
    images,
  );
  const { image, ...others } = prepared;
  const { bytes, ...description } = image;
  t.same(structuredClone({ ...others, description }), { ...others, description });
  t.ok(Buffer.from(structuredClone(bytes)).equals(bytes), 'so are the bytes of the image');
  t.notOk('bindings' in prepared.definition, 'the host’s functions stay where they are');
  t.equal(prepared.image.name, 'js');
  t.match(prepared.bundle?.inputs, [String]);
});

t.test('what is wrong is said before a driver is needed', async (t) => {
  const source = 'export default {';
  await t.rejects(prepareFunction({ name: 'x', source }, images), { code: 'BUNDLE_FAILED' });
  await t.rejects(prepareFunction({ name: 'x' }, images), { code: 'CONFIGURATION_INVALID' });
  await t.rejects(prepareFunction({ name: 'x', image: './none.elf' }, images), {
    code: 'IMAGE_MISSING',
  });
});

t.test('a clone of it is deployed', { skip: untestable }, async (t) => {
  await using fabric = await openFabric();
  const source = `export default {
    fetch(request) {
      if (request.url.endsWith('/throw')) throw new Error('thrown');
      return new Response('prepared');
    },
  };`;
  const prepared = await prepareFunction(slowedDown({ name: 'clone', source }), images);
  const elsewhere = { ...structuredClone(prepared), workingFolder: '/nowhere' };
  const fn = await fabric.deployPrepared(elsewhere);
  t.equal(await (await fn.fetch('http://localhost/')).text(), 'prepared');
  const again = await fabric.deployPrepared(structuredClone(prepared));
  t.equal(again, fn, 'the same name is the same function');
  await fabric.close();
  await t.rejects(fabric.deployPrepared(prepared), { code: 'FABRIC_CLOSED' });
});
