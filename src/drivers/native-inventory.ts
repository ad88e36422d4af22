/** What a driver has open, so that closing it leaves nothing. */

import { HatcheryError } from '../errors.js';
import type { Shell, Snapshot } from './driver.js';

export class Inventory {
  /** Snapshots that are not closed, and shells that are not destroyed (these outlive those). */
  readonly snapshots = new Set<Snapshot>();
  readonly shells = new Set<Shell>();
  /** Shells under way. */
  readonly #creating = new Set<Promise<unknown>>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The shell that `create` makes; destroyed at once where everything was closed meanwhile.
   * @throws HatcheryError SHELL_GONE in that case, or what `create` throws
   */
  async add<Made extends Shell>(create: () => Promise<Made>): Promise<Made> {
    if (this.#closed) {
      throw new HatcheryError('SHELL_GONE');
    }
    const creating = create();
    this.#creating.add(creating);
    try {
      const shell = await creating;
      this.shells.add(shell);
      if (this.#closed) {
        await shell.destroy();
        throw new HatcheryError('SHELL_GONE');
      }
      return shell;
    } finally {
      this.#creating.delete(creating);
    }
  }

  /** Destroys and closes everything, also what is still being made. */
  async close(): Promise<void> {
    this.#closed = true;
    // A shell is in one of the two sets until it is gone: `add` goes on before this does.
    await Promise.allSettled(this.#creating);
    await Promise.all([...this.shells].map((shell) => shell.destroy()));
    for (const snapshot of this.snapshots) {
      snapshot.close();
    }
  }
}
