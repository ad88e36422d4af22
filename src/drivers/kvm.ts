/** The KVM driver: snapshots and machines of the native addon behind the driver interface. */

import { HatcheryError } from '../errors.js';
import type { Driver, LoadOptions, Snapshot, Strategy } from './driver.js';
import { driverFailure } from './kvm-failure.js';
import { KvmInventory } from './kvm-inventory.js';
import { type KvmAddon, loadKvmAddon } from './kvm-native.js';
import { KvmSnapshot } from './kvm-snapshot.js';
import { layOut } from './layout.js';

export interface KvmDriverOptions {
  /** The addon to use; the product's by default. */
  readonly addon?: KvmAddon;
}

export class KvmDriver implements Driver {
  readonly name = 'kvm';
  readonly strategies: readonly Strategy[] = ['boot', 'clone', 'pool', 'reset'];
  readonly defaultStrategy = 'reset';
  readonly #addon: KvmAddon;
  readonly #tscHertz: number;
  readonly #inventory = new KvmInventory();

  /** @throws HatcheryError ADDON_MISSING, KVM_UNAVAILABLE */
  constructor(options: KvmDriverOptions = {}) {
    this.#addon = options.addon ?? loadKvmAddon();
    try {
      this.#tscHertz = this.#addon.probe().tscHertz;
    } catch (error) {
      throw driverFailure(error);
    }
  }

  async load(options: LoadOptions): Promise<Snapshot> {
    if (this.#inventory.closed) {
      throw new HatcheryError('FABRIC_CLOSED');
    }
    const layout = layOut(options, {
      reservedBytes: this.#addon.resumeBytes,
      channelBytes: this.#addon.channelBytes,
      tscHertz: this.#tscHertz,
    });
    try {
      const native = this.#addon.load({
        entry: options.image.entry,
        memory: layout.memory,
        shared: layout.shared,
      });
      return new KvmSnapshot(
        {
          addon: this.#addon,
          channel: layout.channel,
          inventory: this.#inventory,
        },
        native,
        'cold',
        options.memoryBytes,
      );
    } catch (error) {
      throw driverFailure(error);
    }
  }

  close(): Promise<void> {
    return this.#inventory.close();
  }
}
