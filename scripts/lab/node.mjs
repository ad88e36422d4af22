// An archive of the program that runs this: Node, without its symbols.
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { cached, keyOf } from './cache.mjs';
import { Archive } from './cpio.mjs';

/** Made again when Node is another one. */
export function nodeArchive() {
  const program = realpathSync(process.execPath);
  const { size, mtimeMs } = statSync(program);
  const key = keyOf([process.version, program, String(size), String(mtimeMs)]);
  return cached('node', key, (file) => {
    const stripped = `${file}.program`;
    try {
      execFileSync('strip', ['--strip-unneeded', '-o', stripped, program]);
      const archive = new Archive(file);
      archive.file('usr/bin/node', readFileSync(stripped), 0o755);
      archive.close();
    } finally {
      rmSync(stripped, { force: true });
    }
  });
}
