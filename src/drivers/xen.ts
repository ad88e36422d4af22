/** The Xen driver: snapshots and domains of the native addon behind the driver interface. */

import { HatcheryError } from '../errors.js';
import type { Driver, LoadOptions, Snapshot, Strategy, XenGuestType } from './driver.js';
import { encodeConfiguration, layOut } from './layout.js';
import { driverFailure } from './native-failure.js';
import { Inventory } from './native-inventory.js';
import { LoadedSnapshot } from './native-snapshot.js';
import { noHvm, xenUnavailable } from './xen-failure.js';
import { loadXenAddon, type Reaped, type XenAddon, type XenFacts } from './xen-native.js';

export interface XenDriverOptions {
  /** The kind of domains. Default: `pvh`. */
  readonly guestType?: XenGuestType | undefined;
  /** The addon to use; the product's by default. */
  readonly addon?: XenAddon;
}

/** PV domains keep no record of what they write, and so cannot go back to a snapshot. */
const STRATEGIES: Readonly<Record<XenGuestType, readonly Strategy[]>> = {
  pvh: ['boot', 'clone', 'pool', 'reset'],
  pv: ['boot', 'pool'],
};
const DEFAULT_STRATEGY: Readonly<Record<XenGuestType, Strategy>> = { pvh: 'reset', pv: 'boot' };

/**
 * A domain that has written more pages than this is not rewound. Making a domain costs some
 * milliseconds, in which so many pages can be copied twice over.
 */
const REWIND_PAGE_LIMIT = 16_384;

/** Of what a domain's name may consist, so that it is one component of a path in xenstore. */
const NAME = /^[A-Za-z0-9_-]{1,63}$/;
const DEFAULT_NAME = 'guest';

export class XenDriver implements Driver {
  readonly name = 'xen';
  readonly guestType: XenGuestType;
  readonly strategies: readonly Strategy[];
  readonly defaultStrategy: Strategy;
  readonly keepsEmptyShells = true;
  readonly #addon: XenAddon;
  readonly #facts: XenFacts;
  readonly #inventory = new Inventory();
  /** What processes before this one left behind goes first. */
  readonly #reaped: Promise<Reaped>;

  /** @throws HatcheryError XEN_UNAVAILABLE */
  constructor(options: XenDriverOptions = {}) {
    this.guestType = options.guestType ?? 'pvh';
    this.strategies = STRATEGIES[this.guestType];
    this.defaultStrategy = DEFAULT_STRATEGY[this.guestType];
    try {
      this.#addon = options.addon ?? loadXenAddon();
      this.#facts = this.#addon.probe();
    } catch (error) {
      throw xenUnavailable(error);
    }
    if (this.guestType === 'pvh' && !this.#facts.hasHvm) {
      throw noHvm();
    }
    this.#reaped = reapOrphans(this.#addon);
    // Who loads or closes gets to know.
    this.#reaped.catch(() => {});
  }

  /**
   * What ended Hatchery processes had left here and this driver has destroyed; once that is done.
   * @throws HatcheryError DRIVER_FAILED
   */
  get reaped(): Promise<Reaped> {
    return this.#reaped;
  }

  async load(options: LoadOptions): Promise<Snapshot> {
    const { image, configuration, memoryBytes, name = DEFAULT_NAME, shellsAhead = 0 } = options;
    if (!NAME.test(name)) {
      throw new HatcheryError('INVALID_ARGUMENT', {
        problem: `"${name}" cannot be part of a domain's name; use letters, digits, - and _`,
      });
    }
    if (this.guestType === 'pv' && image.file === undefined) {
      throw new HatcheryError('INVALID_ARGUMENT', {
        problem: 'a PV domain is built from an ELF file, and this image has none',
      });
    }
    await this.#reaped;
    if (this.#inventory.closed) {
      throw new HatcheryError('FABRIC_CLOSED');
    }
    const layout = layOut(options, {
      reservedBytes: this.#addon.reservedBytes,
      channelBytes: this.#addon.channelBytes,
      tscHertz: this.#facts.tscHertz,
      largeHeap: false,
    });
    try {
      const native = this.#addon.load({
        entry: image.entry,
        memory: layout.memory,
        shared: layout.shared,
        channel: layout.channel,
        guestType: this.guestType,
        name: `hatchery-${name}`,
        file: image.file,
        emptyShells: shellsAhead,
        configuration: encodeConfiguration(configuration),
      });
      const origin = {
        addon: this.#addon,
        inventory: this.#inventory,
        rewindPageLimit: REWIND_PAGE_LIMIT,
      };
      return new LoadedSnapshot(origin, native, 'cold', memoryBytes);
    } catch (error) {
      throw driverFailure(error);
    }
  }

  async close(): Promise<void> {
    await this.#reaped.catch(() => {});
    await this.#inventory.close();
  }
}

function reapOrphans(addon: XenAddon): Promise<Reaped> {
  return new Promise((resolve, reject) => {
    addon.reapOrphans((error, reaped) => {
      error === null ? resolve(reaped) : reject(driverFailure(error));
    });
  });
}
