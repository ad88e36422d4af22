/**
 * The process driver: the same images in Linux processes that a system call filter locks up, where
 * there is no hypervisor. A thinner wall than a virtual machine's: see docs/security.md.
 */

import { HatcheryError } from '../errors.js';
import type { Driver, LoadOptions, Snapshot, Strategy } from './driver.js';
import { layOut } from './layout.js';
import { Inventory } from './native-inventory.js';
import { LoadedSnapshot } from './native-snapshot.js';
import { processUnavailable } from './process-failure.js';
import {
  LAUNCHER,
  loadProcessGuestsAddon,
  type ProcessGuestsAddon,
  SPAWNER,
} from './process-guests-native.js';

/**
 * `reset` is not among them: what the kernel keeps of a process (its registers, its mappings, signals
 * on their way) cannot be shown to be as it was, as the design asks for.
 */
const STRATEGIES: readonly Strategy[] = ['boot', 'clone', 'pool'];
const WITHOUT_FORKS: readonly Strategy[] = ['boot', 'pool'];

export class ProcessDriver implements Driver {
  readonly name = 'process';
  readonly strategies: readonly Strategy[];
  readonly defaultStrategy: Strategy;
  readonly #addon: ProcessGuestsAddon;
  readonly #tscHertz: number;
  readonly #inventory = new Inventory();

  /** @throws HatcheryError PROCESS_UNAVAILABLE */
  constructor() {
    try {
      this.#addon = loadProcessGuestsAddon();
      const { tscHertz, grantsForks } = this.#addon.probe(SPAWNER, LAUNCHER);
      this.#tscHertz = Math.round(tscHertz);
      this.strategies = grantsForks ? STRATEGIES : WITHOUT_FORKS;
      this.defaultStrategy = grantsForks ? 'clone' : 'pool';
    } catch (error) {
      throw processUnavailable(error);
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
    });
    try {
      const native = this.#addon.load({
        entry: options.image.entry,
        memory: layout.memory,
        shared: layout.shared,
        channel: layout.channel,
      });
      // Nothing is rewound, whatever it has written.
      const origin = { addon: this.#addon, inventory: this.#inventory, rewindPageLimit: 0 };
      return new LoadedSnapshot(origin, native, 'cold', options.memoryBytes);
    } catch (error) {
      throw processUnavailable(error);
    }
  }

  close(): Promise<void> {
    return this.#inventory.close();
  }
}
