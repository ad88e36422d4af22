/** The head of a saved domain's file: what xl writes and reads (tools/xl/xl.h of Xen 4.17). */
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { readSaveFile, writeSaveFile } from '../../src/xen/save-file.js';

const CONFIG = '{"c_info":{"name":"saved"}}';

async function savedFile(t: Test): Promise<string> {
  const path = `${t.testdir({})}/saved`;
  await writeSaveFile(path, CONFIG, async (descriptor) => {
    writeSync(descriptor, 'stream');
  });
  return path;
}

const read = (path: string) =>
  readSaveFile(path, async (config, descriptor) => [config, readFileSync(descriptor, 'latin1')]);

t.test('what was written is read, and the stream begins behind it', async (t) => {
  const path = await savedFile(t);
  t.strictSame(await read(path), [CONFIG, 'stream']);
  t.notOk(existsSync(`${path}.partial`));
});

t.test('the bytes are those of xl', async (t) => {
  const bytes = readFileSync(await savedFile(t));
  t.equal(bytes.toString('latin1', 0, 32), 'Xen saved domain, xl format\n \0 \r');
  const words = [32, 36, 40, 44, 48].map((offset) => bytes.readUInt32LE(offset));
  const length = CONFIG.length + 1;
  t.strictSame(words, [0x01020304, 3, 0, 4 + length, length]);
  t.equal(bytes.toString('latin1', 52, 52 + length), `${CONFIG}\0`);
});

t.test('a file that cannot be a saved domain is refused', async (t) => {
  const path = await savedFile(t);
  const whole = readFileSync(path);
  const changed = (offset: number, value: number) => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(value, offset);
    return bytes;
  };
  const files: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['half a head', whole.subarray(0, 40)],
    ['another magic', changed(0, 0)],
    ['another byte order', changed(32, 0x04030201)],
    ['unknown flags', changed(36, 7)],
    ['no configuration', changed(44, 0)],
    ['more than there is', changed(44, 100_000)],
    ['far more than there is', changed(44, 0xffffffff)],
    ['a configuration longer than its place', changed(48, 1000)],
    ['an empty configuration', changed(48, 0)],
    ['half a configuration', whole.subarray(0, 60)],
  ];
  for (const [name, bytes] of files) {
    writeFileSync(path, bytes);
    await t.rejects(read(path), { code: 'INVALID_ARGUMENT' }, name);
  }
  await t.rejects(read(`${path}.missing`), { code: 'INVALID_ARGUMENT' });
});

t.test(
  'a file that could not be written whole is not there, and one of before stays',
  async (t) => {
    const path = await savedFile(t);
    const failing = async () => {
      throw new Error('no stream');
    };
    await t.rejects(writeSaveFile(path, '{}', failing), { message: 'no stream' });
    t.strictSame(await read(path), [CONFIG, 'stream']);
    t.notOk(existsSync(`${path}.partial`));
  },
);
