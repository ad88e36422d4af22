/** Snapshots of a native addon's. */

import { HatcheryError } from '../errors.js';
import type { Shell, Snapshot } from './driver.js';
import type { NativeAddon, NativeMachine, NativeSnapshot } from './native.js';
import { driverFailure } from './native-failure.js';
import type { Inventory } from './native-inventory.js';
import { NativeShell } from './native-shell.js';

/** What all snapshots and shells of one loaded image share. */
export interface Origin {
  readonly addon: NativeAddon;
  readonly inventory: Inventory;
  /** A shell that has written more pages than this is not rewound. */
  readonly rewindPageLimit: number;
}

export class LoadedSnapshot implements Snapshot {
  readonly state: 'cold' | 'ready';
  readonly memoryBytes: number;
  readonly #origin: Origin;
  readonly #native: NativeSnapshot;
  #closed = false;

  constructor(
    origin: Origin,
    native: NativeSnapshot,
    state: 'cold' | 'ready',
    memoryBytes: number,
  ) {
    this.#origin = origin;
    this.#native = native;
    this.state = state;
    this.memoryBytes = memoryBytes;
    origin.inventory.snapshots.add(this);
  }

  async createShell(options: { readonly reusable: boolean }): Promise<Shell> {
    if (this.#closed) {
      throw new HatcheryError('SHELL_GONE');
    }
    // A cold shell keeps the record too: a capture needs it.
    const keepLog = options.reusable || this.state === 'cold';
    return this.#origin.inventory.add(() => this.#createShell(keepLog));
  }

  async #createShell(keepLog: boolean): Promise<NativeShell> {
    const machine = await new Promise<NativeMachine>((resolve, reject) => {
      try {
        this.#native.createMachine({ keepLog }, (error, created) => {
          error === null ? resolve(created) : reject(driverFailure(error));
        });
      } catch (error) {
        reject(driverFailure(error));
      }
    });
    const shell = new NativeShell({
      addon: this.#origin.addon,
      machine,
      rewindPageLimit: this.#origin.rewindPageLimit,
      onDestroyed: () => this.#origin.inventory.shells.delete(shell),
      onCaptured: (native) => new LoadedSnapshot(this.#origin, native, 'ready', this.memoryBytes),
    });
    return shell;
  }

  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#native.close();
      this.#origin.inventory.snapshots.delete(this);
    }
  }
}
