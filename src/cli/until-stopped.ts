/** Servers that a command runs until SIGINT or SIGTERM. */
import { EXIT_CODES } from './exit-codes.js';
import { stopSignal } from './stop-signal.js';
import type { Terminal } from './terminal.js';

export interface StoppableServer {
  start(): Promise<void>;
  /** Told at the signal, where what is under way need not be finished. */
  abandon?(): void;
  close(): Promise<void>;
}

/**
 * Starts the server, and closes it at the signal or when it cannot start.
 * @returns the exit code
 * @throws why it could not be started
 */
export async function runUntilStopped(
  server: StoppableServer,
  terminal: Terminal,
): Promise<number> {
  const stopped = stopSignal();
  try {
    const starting = server.start();
    stopped.then(() => server.abandon?.());
    await Promise.race([starting, stopped]);
    await stopped;
    // In the middle of its start it may yet open something, which is to be closed.
    await starting.catch(() => {});
  } finally {
    await server.close();
  }
  terminal.result('Stopped.', { event: 'stopped' });
  return EXIT_CODES.ok.code;
}
