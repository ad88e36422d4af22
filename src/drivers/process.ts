/**
 * The process driver: the same images in Linux processes that a system call filter locks up, where
 * there is no hypervisor. A thinner wall than a virtual machine's: see docs/security.md.
 */

import { Socket } from 'node:net';
import { HatcheryError } from '../errors.js';
import type { Driver, LoadOptions, Snapshot, Strategy } from './driver.js';
import { layOut } from './layout.js';
import { Inventory } from './native-inventory.js';
import { LoadedSnapshot, type Origin } from './native-snapshot.js';
import { guestFailure, processUnavailable } from './process-failure.js';
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

export interface ProcessDriverOptions {
  /** The addon to use; the product's by default. */
  readonly addon?: ProcessGuestsAddon;
}

export class ProcessDriver implements Driver {
  readonly name = 'process';
  readonly strategies: readonly Strategy[];
  readonly defaultStrategy: Strategy;
  readonly #addon: ProcessGuestsAddon;
  readonly #tscHertz: number;
  readonly #inventory = new Inventory();
  readonly #origin: Origin;
  readonly #listeners: ((lost: () => HatcheryError) => void)[] = [];
  /** Ends with the spawner; `undefined` while there is none. */
  #lifeline: Socket | undefined;

  /** @throws HatcheryError PROCESS_UNAVAILABLE */
  constructor(options: ProcessDriverOptions = {}) {
    try {
      this.#addon = options.addon ?? loadProcessGuestsAddon();
    } catch (error) {
      throw processUnavailable(error);
    }
    const { tscHertz, grantsForks } = this.#openSpawner();
    this.#tscHertz = Math.round(tscHertz);
    this.strategies = grantsForks ? STRATEGIES : WITHOUT_FORKS;
    this.defaultStrategy = grantsForks ? 'clone' : 'pool';
    this.#origin = {
      addon: this.#addon,
      inventory: this.#inventory,
      // Nothing is rewound, whatever it has written.
      rewindPageLimit: 0,
      failure: (error) => {
        // Who sees the error finds the driver knowing of it, though the lifeline may be heard of later.
        this.#checkSpawner();
        return guestFailure(error);
      },
    };
  }

  async load(options: LoadOptions): Promise<Snapshot> {
    if (this.#inventory.closed) {
      throw new HatcheryError('FABRIC_CLOSED');
    }
    if (this.#lifeline === undefined) {
      this.#openSpawner();
    }
    const layout = layOut(options, {
      reservedBytes: this.#addon.reservedBytes,
      channelBytes: this.#addon.channelBytes,
      tscHertz: this.#tscHertz,
      largeHeap: false,
    });
    try {
      const native = this.#addon.load({
        entry: options.image.entry,
        memory: layout.memory,
        shared: layout.shared,
        channel: layout.channel,
      });
      return new LoadedSnapshot(this.#origin, native, 'cold', options.memoryBytes);
    } catch (error) {
      throw processUnavailable(error);
    }
  }

  onLost(listener: (lost: () => HatcheryError) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    await this.#inventory.close();
    this.#lifeline?.destroy();
    this.#lifeline = undefined;
  }

  /** @throws HatcheryError PROCESS_UNAVAILABLE; where this process may not start programs any more, too */
  #openSpawner() {
    try {
      const facts = this.#addon.probe(SPAWNER, LAUNCHER);
      const lifeline = new Socket({ fd: this.#addon.lifeline(), readable: true, writable: false });
      // Nothing ever comes but the end.
      lifeline.on('close', () => this.#lost(lifeline)).on('error', () => {});
      lifeline.resume().unref();
      this.#lifeline = lifeline;
      return facts;
    } catch (error) {
      throw processUnavailable(error);
    }
  }

  #checkSpawner(): void {
    if (this.#lifeline !== undefined && !this.#addon.spawnerLives()) {
      this.#lost(this.#lifeline);
    }
  }

  #lost(lifeline: Socket): void {
    if (lifeline === this.#lifeline) {
      this.#lifeline = undefined;
      lifeline.destroy();
      if (!this.#inventory.closed) {
        for (const listener of this.#listeners) {
          listener(() => new HatcheryError('SPAWNER_DIED'));
        }
      }
    }
  }
}
