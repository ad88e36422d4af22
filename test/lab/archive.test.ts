/** The archives that the lab's kernel unpacks: read back by the program that defines the format. */
import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const CPIO = fileURLToPath(new URL('../../../scripts/lab/cpio.mjs', import.meta.url));
const BUSYBOX = '/usr/bin/busybox';

interface Archive {
  folder(name: string, mode?: number): void;
  file(name: string, content: string | Uint8Array, mode?: number): void;
  link(name: string, target: string): void;
  copy(source: string, name: string, accepts?: (file: string) => boolean): void;
  close(): void;
}
const { Archive } = (await import(CPIO)) as { Archive: new (file: string) => Archive };

const missing = (() => {
  try {
    execFileSync(BUSYBOX, ['true']);
    return false;
  } catch {
    return 'needs busybox-static, which the lab is made with';
  }
})();

t.test('archives', { skip: missing }, async (t) => {
  const folder = t.testdir({
    source: { kept: 'kept', 'left.out': 'left out', inner: { deep: 'x'.repeat(5) } },
    unpacked: {},
  });
  const unpacked = join(folder, 'unpacked');
  const first = new Archive(join(folder, 'first'));
  first.file('a/b/program', Buffer.from([0, 1, 2, 255]), 0o755);
  first.link('a/link', 'b/program');
  first.folder('open', 0o777);
  first.copy(join(folder, 'source'), 'copied', (file) => !file.endsWith('.out'));
  first.close();
  const second = new Archive(join(folder, 'second'));
  second.file('a/b/late', 'late');
  second.copy(join(folder, 'source/kept'), 'one');
  second.close();

  for (const name of ['first', 'second']) {
    execFileSync(BUSYBOX, ['cpio', '-id'], {
      cwd: unpacked,
      input: readFileSync(join(folder, name)),
      stdio: ['pipe', 'ignore', 'ignore'],
    });
  }
  const read = (name: string) => readFileSync(join(unpacked, name), 'latin1');
  t.equal(read('a/b/program'), '\x00\x01\x02\xff');
  t.equal(lstatSync(join(unpacked, 'a/b/program')).mode & 0o777, 0o755);
  t.equal(readlinkSync(join(unpacked, 'a/link')), 'b/program');
  t.equal(read('copied/kept'), 'kept');
  t.equal(read('copied/inner/deep'), 'xxxxx');
  t.throws(() => read('copied/left.out'), { code: 'ENOENT' });
  t.equal(read('a/b/late'), 'late');
  t.equal(read('one'), 'kept');
});
