// Writes cpio archives in the "newc" format, which is what the kernel unpacks at boot. The kernel takes
// several of them one behind the other, so each part of the lab is an archive of its own.
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';

const KIND = { directory: 0o040000, file: 0o100000, link: 0o120000 };
const ALIGNMENT = 4;

const paddingTo = (length) => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT);

/** One archive, written to a file piece by piece. All paths in it are relative to the root folder. */
export class Archive {
  #descriptor;
  #inode = 0;
  #folders = new Set(['.', '']);

  /** @param {string} file that is made or replaced */
  constructor(file) {
    this.#descriptor = openSync(file, 'w');
  }

  /** Adds a folder and the folders above it, once. */
  folder(name, mode = 0o755) {
    if (this.#folders.has(name)) return;
    this.folder(path.dirname(name));
    this.#folders.add(name);
    this.#add(name, KIND.directory | mode, Buffer.alloc(0));
  }

  /** Adds a file; `content` may be text. */
  file(name, content, mode = 0o644) {
    this.folder(path.dirname(name));
    this.#add(name, KIND.file | mode, Buffer.from(content));
  }

  link(name, target) {
    this.folder(path.dirname(name));
    this.#add(name, KIND.link | 0o777, Buffer.from(target));
  }

  /**
   * Adds a file or a whole folder of the host, with links as links and files that are executable by
   * their owner as executable. A file that vanishes meanwhile is left out.
   *
   * @param {string} source
   * @param {string} name in the archive
   * @param {(file: string) => boolean} [accepts] asked about each file below a folder
   */
  copy(source, name, accepts = () => true) {
    let entries;
    try {
      entries = readdirSync(source, { withFileTypes: true });
    } catch (error) {
      if (error.code !== 'ENOTDIR') throw error;
      this.#copyFile(source, name);
      return;
    }
    this.folder(name);
    for (const entry of entries) {
      const from = path.join(source, entry.name);
      const to = path.join(name, entry.name);
      if (!entry.isDirectory() && !accepts(from)) continue;
      if (entry.isDirectory()) {
        if (accepts(from)) this.copy(from, to, accepts);
      } else if (entry.isSymbolicLink()) this.link(to, readlinkSync(from));
      else if (entry.isFile()) this.#copyFile(from, to);
    }
  }

  /** Ends the archive; nothing can be added any more. */
  close() {
    this.#add('TRAILER!!!', 0, Buffer.alloc(0));
    closeSync(this.#descriptor);
  }

  #copyFile(source, name) {
    try {
      const descriptor = openSync(source, 'r');
      try {
        const executable = fstatSync(descriptor).mode & 0o100;
        this.file(name, readFileSync(descriptor), executable ? 0o755 : 0o644);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }

  #add(name, mode, content) {
    this.#inode += 1;
    const nameBytes = Buffer.from(`${name}\0`);
    // Inode, mode, uid, gid, links, time, size, two devices of two numbers, length of name, check sum.
    const fields = [this.#inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, nameBytes.length, 0];
    const numbers = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
    const head = Buffer.concat([Buffer.from(`070701${numbers}`), nameBytes]);
    this.#write(Buffer.concat([head, paddingTo(head.length)]));
    this.#write(content);
    this.#write(paddingTo(content.length));
  }

  #write(bytes) {
    for (let offset = 0; offset < bytes.length; ) {
      offset += writeSync(this.#descriptor, bytes, offset);
    }
  }
}
