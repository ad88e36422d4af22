/** Who changes a store's index does so alone. */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HatcheryError } from '../../errors.js';

const PATIENCE_MILLISECONDS = 30_000;
const PAUSE_MILLISECONDS = 10;

/**
 * Runs `work` while nobody else on this machine does so for the folder. It is an abstract socket that is
 * held: the kernel gives it free, however the process ends.
 * @throws HatcheryError DATA_UNUSABLE where somebody holds it for long
 */
export async function alone<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  const { dev, ino } = await stat(folder);
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  let lock: Server | undefined;
  for (;;) {
    lock = await take(`\0hatchery-images-${dev}-${ino}`);
    if (lock !== undefined) {
      break;
    }
    if (performance.now() > deadline) {
      const reason = 'another process has been changing it for too long';
      throw new HatcheryError('DATA_UNUSABLE', { path: folder, reason });
    }
    await sleep(PAUSE_MILLISECONDS);
  }
  try {
    return await work();
  } finally {
    lock.close();
    await once(lock, 'close');
  }
}

/** `undefined` where somebody has it. */
async function take(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen(name);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return undefined;
    }
    throw error;
  }
}
