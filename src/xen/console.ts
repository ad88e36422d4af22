/** A guest's console as a stream. */
import { closeSync, constants, openSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { ReadStream } from 'node:tty';
import { HatcheryError } from '../errors.js';

/**
 * What the guest prints, to be read; what is typed, to be written. Ends when the domain is gone, or when
 * xenconsoled lets go of it. Destroy it to let go of it: it keeps the event loop alive.
 */
export class DomainConsole extends Duplex {
  /** The pseudo terminal's path in Dom0. */
  readonly path: string;
  readonly #terminal: ReadStream;

  constructor(path: string) {
    super({ allowHalfOpen: false });
    this.path = path;
    this.#terminal = openTerminal(path);
    this.#terminal.on('data', (bytes) => {
      if (!this.push(bytes)) {
        this.#terminal.pause();
      }
    });
    this.#terminal.on('end', () => this.push(null));
    this.#terminal.on('error', (error: NodeJS.ErrnoException) => {
      // What a terminal gives once its other end is closed.
      if (error.code === 'EIO') {
        this.push(null);
      } else {
        this.destroy(error);
      }
    });
  }

  override _read(): void {
    this.#terminal.resume();
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#terminal.write(bytes, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#terminal.destroy();
    done(error);
  }
}

function openTerminal(path: string): ReadStream {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  try {
    return new ReadStream(descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** @throws HatcheryError CONSOLE_UNAVAILABLE */
export function openConsole(path: string): DomainConsole {
  try {
    return new DomainConsole(path);
  } catch (cause) {
    throw new HatcheryError(
      'CONSOLE_UNAVAILABLE',
      { reason: `${path}: ${(cause as Error).message}` },
      { cause },
    );
  }
}
