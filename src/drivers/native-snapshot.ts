/** Snapshots of a native addon's. */

import { HatcheryError } from '../errors.js';
import type { Configuration, Shell, Snapshot, SnapshotState } from './driver.js';
import type { ConfigurationArea } from './layout.js';
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
  /** Where its configuration is, where the driver can change it. */
  readonly configuration?: ConfigurationArea;
  /** The typed error for what the addon threw or passed to a callback. */
  readonly failure?: (error: unknown) => unknown;
}

export class LoadedSnapshot implements Snapshot {
  readonly state: SnapshotState;
  readonly memoryBytes: number;
  readonly #origin: Origin;
  readonly #native: NativeSnapshot;
  readonly #failure: (error: unknown) => unknown;
  #closed = false;

  constructor(origin: Origin, native: NativeSnapshot, state: SnapshotState, memoryBytes: number) {
    this.#origin = origin;
    this.#native = native;
    this.state = state;
    this.memoryBytes = memoryBytes;
    this.#failure = origin.failure ?? driverFailure;
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
          error === null ? resolve(created) : reject(this.#failure(error));
        });
      } catch (error) {
        reject(this.#failure(error));
      }
    });
    const shell = new NativeShell({
      addon: this.#origin.addon,
      machine,
      rewindPageLimit: this.#origin.rewindPageLimit,
      failure: this.#failure,
      onDestroyed: () => this.#origin.inventory.shells.delete(shell),
      onCaptured: (native, state) => this.#like(native, state),
    });
    return shell;
  }

  configure(configuration: Configuration): Snapshot | undefined {
    if (this.#closed) {
      throw new HatcheryError('SHELL_GONE');
    }
    const area = this.#origin.configuration;
    if (this.state !== 'unconfigured' || area === undefined) {
      throw new HatcheryError('INVALID_ARGUMENT', {
        problem: `a snapshot that is ${this.state} cannot be configured`,
      });
    }
    const contents = area.fill(configuration);
    if (contents === undefined) {
      return undefined;
    }
    try {
      return this.#like(this.#native.configure(contents), 'cold');
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #like(native: NativeSnapshot, state: SnapshotState): LoadedSnapshot {
    return new LoadedSnapshot(this.#origin, native, state, this.memoryBytes);
  }

  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#native.close();
      this.#origin.inventory.snapshots.delete(this);
    }
  }
}
