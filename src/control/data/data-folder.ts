/** Where a server keeps what must survive it, and that only one server does so at a time. */
import { once } from 'node:events';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { resolve } from 'node:path';
import { removeUnfinished } from '../../atomic-file.js';
import { HatcheryError } from '../../errors.js';

const FOLDER_MODE = 0o700;

export class DataFolder {
  readonly path: string;
  readonly #lock: Server;

  private constructor(path: string, lock: Server) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the folder where it is missing, readable by its owner only.
   * @throws HatcheryError DATA_UNUSABLE where it cannot be made, or others may read it; DATA_IN_USE
   */
  static async open(folder: string): Promise<DataFolder> {
    const path = resolve(folder);
    try {
      await mkdir(path, { recursive: true, mode: FOLDER_MODE });
      const stats = await stat(path);
      if ((stats.mode & 0o077) !== 0) {
        const reason = 'others than its owner can look into it; run chmod 700 on it';
        throw new HatcheryError('DATA_UNUSABLE', { path, reason });
      }
      const lock = await takeLock(path, `${stats.dev}-${stats.ino}`);
      await removeUnfinished(path);
      return new DataFolder(await realpath(path), lock);
    } catch (cause) {
      if (cause instanceof HatcheryError) {
        throw cause;
      }
      const reason = (cause as Error).message;
      throw new HatcheryError('DATA_UNUSABLE', { path, reason }, { cause });
    }
  }

  /** Lets another server have it. */
  async close(): Promise<void> {
    this.#lock.close();
    await once(this.#lock, 'close');
  }
}

/** An abstract socket: the kernel gives the name free, however the process ends. */
async function takeLock(path: string, identity: string): Promise<Server> {
  const lock = createServer((socket) => socket.destroy());
  lock.listen(`\0hatchery-data-${identity}`);
  try {
    await once(lock, 'listening');
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? new HatcheryError('DATA_IN_USE', { path })
      : error;
  }
  lock.unref();
  return lock;
}
