/** The KVM driver: snapshots and machines of the native addon behind the driver interface. */

import { HatcheryError } from '../errors.js';
import type { Driver, LoadOptions, Snapshot, Strategy } from './driver.js';
import { kvmFailure, refuseHiddenKvm } from './kvm-failure.js';
import { type KvmAddon, loadKvmAddon } from './kvm-native.js';
import { layOut } from './layout.js';
import { Inventory } from './native-inventory.js';
import { LoadedSnapshot } from './native-snapshot.js';

/**
 * A shell that has written more pages than this is not rewound: copying them back (some 0.1 µs
 * each, `npm run bench -- --only rewind`) would cost more than a new shell.
 */
const REWIND_PAGE_LIMIT = 4096;

export interface KvmDriverOptions {
  /** The addon to use; the product's by default. */
  readonly addon?: KvmAddon;
}

export class KvmDriver implements Driver {
  readonly name = 'kvm';
  readonly strategies: readonly Strategy[] = ['boot', 'clone', 'pool', 'reset'];
  readonly defaultStrategy = 'reset';
  readonly capturesUnconfigured = true;
  readonly #addon: KvmAddon;
  readonly #tscHertz: number;
  readonly #inventory = new Inventory();

  /** @throws HatcheryError ADDON_MISSING, KVM_UNAVAILABLE */
  constructor(options: KvmDriverOptions = {}) {
    refuseHiddenKvm();
    this.#addon = options.addon ?? loadKvmAddon();
    try {
      this.#tscHertz = this.#addon.probe().tscHertz;
    } catch (error) {
      throw kvmFailure(error);
    }
  }

  async load(options: LoadOptions): Promise<Snapshot> {
    if (this.#inventory.closed) {
      throw new HatcheryError('FABRIC_CLOSED');
    }
    const layout = layOut(options, {
      reservedBytes: this.#addon.reservedBytes,
      channelBytes: this.#addon.channelBytes,
      tscHertz: this.#tscHertz,
      largeHeap: true,
    });
    try {
      const native = this.#addon.load({
        entry: options.image.entry,
        memory: layout.memory,
        shared: layout.shared,
        channel: layout.channel,
      });
      const origin = {
        addon: this.#addon,
        inventory: this.#inventory,
        rewindPageLimit: REWIND_PAGE_LIMIT,
        configuration: layout.configuration,
      };
      return new LoadedSnapshot(origin, native, 'cold', options.memoryBytes);
    } catch (error) {
      throw kvmFailure(error);
    }
  }

  close(): Promise<void> {
    return this.#inventory.close();
  }
}
