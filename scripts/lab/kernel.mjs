// Xen and Dom0's kernel as QEMU takes them: as ELF files, since unpacking them in emulation takes seconds.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const LIMIT = 1 << 28;

function onlyFile(folder, pattern) {
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  if (names.length !== 1) throw new Error(`${folder} has ${names.length} files like ${pattern}`);
  return path.join(folder, names[0]);
}

/** Writes the hypervisor, a multiboot ELF file. */
export function writeXen(tree, file) {
  const packed = onlyFile(path.join(tree, 'boot'), /^xen-[\d.]+-amd64\.gz$/);
  writeFileSync(file, gunzipSync(readFileSync(packed)));
}

/**
 * Writes the kernel without symbols. It is the payload of the bzImage, whose place the image's header
 * says (Documentation/x86/boot.rst: setup_sects, payload_offset, payload_length).
 */
export function writeKernel(tree, file) {
  const image = readFileSync(kernelImage(tree));
  const setupSectors = image[0x1f1] || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c));
  // The size of what is packed follows the stream: one stream only, then.
  const kernel = execFileSync('xz', ['--decompress', '--single-stream', '--stdout'], {
    input: payload,
    maxBuffer: LIMIT,
  });
  writeFileSync(file, kernel);
  execFileSync('strip', ['--strip-unneeded', file]);
}

/** Debian's kernel as it is installed. */
export const kernelImage = (tree) => onlyFile(path.join(tree, 'boot'), /^vmlinuz-/);

/** The version of the kernel, which is the name of its folder of modules. */
export function kernelVersion(tree) {
  const [version] = readdirSync(path.join(tree, 'lib/modules'));
  return version;
}
