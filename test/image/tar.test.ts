/** Archives of files are plain ustar, and the same for the same files. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { packTar } from '../../src/image/build/tar.js';

const file = (path: string, text = path, executable = false) => ({
  ...{ path, bytes: Buffer.from(text), executable },
});

t.test('tar unpacks it', async (t) => {
  const long = `${'d'.repeat(60)}/${'e'.repeat(60)}/${'f'.repeat(90)}`;
  const files = [
    file('b/run', '#!', true),
    file('a', ''),
    file(long),
    file('ä ö'),
    file('b/c/d', 'x'.repeat(1024)),
  ];
  const archive = packTar(files);
  t.same(packTar([...files].reverse()), archive, 'in any order');
  t.equal(archive.length % 512, 0);
  const folder = t.testdir({});
  writeFileSync(`${folder}/a.tar`, archive);
  execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder });
  for (const { path, bytes } of files) {
    t.same(readFileSync(`${folder}/${path}`), bytes, path);
  }
  t.equal(statSync(`${folder}/b/run`).mode & 0o111, 0o111);
  t.equal(statSync(`${folder}/a`).mode & 0o777, 0o644);
  t.equal(statSync(`${folder}/a`).mtimeMs, 0);
  const list = execFileSync('tar', ['-tf', 'a.tar'], { cwd: folder, env: { LC_ALL: 'C.UTF-8' } });
  t.same(String(list).trim().split('\n').slice(0, 3), ['a', 'b/', 'b/c/']);
});

t.test('what does not fit the format', async (t) => {
  t.throws(() => packTar([file('x'.repeat(101))]), { code: 'INVALID_ARGUMENT' });
  t.throws(() => packTar([file(`${'x'.repeat(160)}/a`)]), { code: 'INVALID_ARGUMENT' });
  t.throws(() => packTar([file('a'), file('a/b')]), /file and a folder/);
});

t.test('any file comes back', async (t) => {
  const part = fc.string({ minLength: 1, maxLength: 20 }).filter((s) => !/[/\0]|^\.{1,2}$/.test(s));
  fc.assert(
    fc.property(part, part, fc.uint8Array({ maxLength: 1500 }), (folder, name, bytes) => {
      const archive = packTar([{ path: `${folder}/${name}`, bytes, executable: false }]);
      const size = Number.parseInt(archive.toString('latin1', 512 + 124, 512 + 135), 8);
      const sum = archive
        .subarray(512, 1024)
        .reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
      return (
        size === bytes.length &&
        Number.parseInt(archive.toString('latin1', 512 + 148, 512 + 154), 8) === sum &&
        Buffer.compare(archive.subarray(1024, 1024 + size), bytes) === 0
      );
    }),
  );
  t.ok(true);
});
