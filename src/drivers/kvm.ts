/** The KVM driver: snapshots and machines of the native addon behind the driver interface. */

import { HatcheryError } from '../errors.js';
import type { Driver, LoadOptions, Snapshot, Strategy } from './driver.js';
import { driverFailure } from './kvm-failure.js';
import { type KvmAddon, loadKvmAddon } from './kvm-native.js';
import type { KvmShell } from './kvm-shell.js';
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
  readonly #snapshots = new Set<KvmSnapshot>();
  readonly #shells = new Set<KvmShell>();
  #closed = false;

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
    if (this.#closed) {
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
          snapshots: this.#snapshots,
          shells: this.#shells,
        },
        native,
        'cold',
        options.memoryBytes,
      );
    } catch (error) {
      throw driverFailure(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#shells].map((shell) => shell.destroy()));
    for (const snapshot of this.#snapshots) {
      snapshot.close();
    }
  }
}
