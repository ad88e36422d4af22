/** Snapshots of the KVM driver. */

import { HatcheryError } from '../errors.js';
import type { Shell, Snapshot } from './driver.js';
import { driverFailure } from './kvm-failure.js';
import type { KvmInventory } from './kvm-inventory.js';
import type { KvmAddon, NativeMachine, NativeSnapshot } from './kvm-native.js';
import { KvmShell } from './kvm-shell.js';

/** What all snapshots and shells of one loaded image share. */
export interface KvmOrigin {
  readonly addon: KvmAddon;
  /** Where the channel is in guest physical memory. */
  readonly channel: number;
  readonly inventory: KvmInventory;
}

export class KvmSnapshot implements Snapshot {
  readonly state: 'cold' | 'ready';
  readonly memoryBytes: number;
  readonly #origin: KvmOrigin;
  readonly #native: NativeSnapshot;
  #closed = false;

  constructor(
    origin: KvmOrigin,
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

  async #createShell(keepLog: boolean): Promise<KvmShell> {
    const machine = await new Promise<NativeMachine>((resolve, reject) => {
      try {
        this.#native.createMachine({ keepLog, channel: this.#origin.channel }, (error, created) => {
          error === null ? resolve(created) : reject(driverFailure(error));
        });
      } catch (error) {
        reject(driverFailure(error));
      }
    });
    const shell = new KvmShell({
      addon: this.#origin.addon,
      machine,
      onDestroyed: () => this.#origin.inventory.shells.delete(shell),
      onCaptured: (native) => new KvmSnapshot(this.#origin, native, 'ready', this.memoryBytes),
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
