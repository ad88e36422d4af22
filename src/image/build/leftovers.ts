/**
 * Folders of builds that were ended with SIGKILL, or whose machine was. Who builds listens on a socket in
 * the folder: the kernel refuses connections to it from when the process has ended, however it did, and
 * says the same to processes in other containers that share the folder for temporary files.
 */
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'hatchery-build-';
const SOCKET = 'owner';
/** The kernel's, with a NUL behind it. */
const SOCKET_PATH_BYTES = 108;
/** What has no socket, as it was ended before it made one, is nobody's after that: no build takes so long. */
const UNCLAIMED_MILLISECONDS = 60 * 60 * 1000;

/** A build's folder; it is another one's to remove when this process ends. */
export class OwnFolder {
  readonly path: string;
  readonly #owner: Server | undefined;

  private constructor(path: string, owner: Server | undefined) {
    this.path = path;
    this.#owner = owner;
  }

  /** A new one, empty but for the socket; what is left of builds before is removed. */
  static async create(): Promise<OwnFolder> {
    await removeLeftovers();
    const path = await mkdtemp(join(tmpdir(), PREFIX));
    return new OwnFolder(path, await listenIn(path));
  }

  /** Removes all of it. */
  async remove(): Promise<void> {
    this.#owner?.close();
    await rm(this.path, { recursive: true, force: true });
  }
}

/** `undefined` where the path is too long for a socket. */
async function listenIn(folder: string): Promise<Server | undefined> {
  const path = join(folder, SOCKET);
  if (Buffer.byteLength(path) >= SOCKET_PATH_BYTES) {
    return undefined;
  }
  const server = createServer((connection) => connection.destroy());
  server.listen(path);
  await once(server, 'listening');
  return server.unref();
}

async function removeLeftovers(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    // What cannot be looked at or removed is not this build's problem.
    if (await isLeftover(folder).catch(() => false)) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function isLeftover(folder: string): Promise<boolean> {
  const facts = await lstat(folder);
  // Others may make folders of such names, and links.
  if (!facts.isDirectory() || facts.uid !== process.getuid?.()) {
    return false;
  }
  const state = await ownerOf(folder);
  const isOld = Date.now() - facts.mtimeMs > UNCLAIMED_MILLISECONDS;
  return (state === 'dead' || (state === 'none' && isOld)) && !(await isUsed(folder));
}

function ownerOf(folder: string): Promise<'alive' | 'dead' | 'none'> {
  return new Promise((resolve) => {
    const connection = connect(join(folder, SOCKET));
    connection.once('connect', () => {
      connection.destroy();
      resolve('alive');
    });
    connection.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'ECONNREFUSED' ? 'dead' : code === 'ENOENT' ? 'none' : 'alive');
    });
  });
}

/** Whether a compiler that outlived its owner is still at work there: nothing is removed under its hands. */
async function isUsed(folder: string): Promise<boolean> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(
    processes.map((id) => readlink(`/proc/${id}/cwd`).catch(() => '')),
  );
  return places.some((place) => place.startsWith(`${folder}/`));
}
