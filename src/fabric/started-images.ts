/**
 * Images that have started up to where they need a function's configuration: most of a boot is the same
 * for all functions of an image, so it is done once, and functions go on from there.
 *
 * No function's data is in such a snapshot, since no function took part in making it, and each function
 * gets a copy in memory of its own.
 */
import type { BaseLogger } from 'pino';
import type { Configuration, Driver, Snapshot } from '../drivers/driver.js';
import type { Image } from '../image/images.js';
import type { ColdPhases } from '../timeline.js';

/** A cold snapshot of a function, and what making it took. */
export interface Loaded {
  readonly snapshot: Snapshot;
  readonly cold: ColdPhases;
  /** Its machines go on from where the image has started, and do not boot from the beginning. */
  readonly hasStarted: boolean;
}

interface Started {
  readonly snapshot: Snapshot;
  readonly cold: Required<Pick<ColdPhases, 'load' | 'create' | 'boot'>>;
}

/** So many are kept, of all images, sizes of memory and sizes of configurations. */
const KEPT = 4;
/** How long an image may take; those of this package take some milliseconds. */
const START_MILLISECONDS = 5_000;
/** Room for a configuration is a power of two of bytes, so that many functions have the same. */
const SMALLEST_ROOM = 64 * 1024;
/** At most this part of a function's memory: what is left over is lost to it. */
const LARGEST_PART = 1 / 16;
/** Bytes that an item takes besides its name and its value, at most. */
const ITEM_BYTES = 18;

export class StartedImages {
  readonly #driver: Driver;
  readonly #logger: BaseLogger;
  /** The least recently used first. */
  readonly #started = new Map<string, Promise<Started | undefined>>();

  constructor(driver: Driver, logger: BaseLogger) {
    this.#driver = driver;
    this.#logger = logger;
  }

  /**
   * A cold snapshot of a function that goes on from where its image has started.
   * @returns `undefined` where image or driver cannot do so, or the configuration is large: it is then to
   *   be loaded as usual, which also says what is wrong where the image did not come that far.
   * @throws HatcheryError DRIVER_FAILED, SHELL_GONE
   */
  async configure(
    image: Image,
    configuration: Configuration,
    memoryBytes: number,
  ): Promise<Loaded | undefined> {
    const room = roomFor(configuration);
    const isCapable =
      this.#driver.capturesUnconfigured === true && image.elf.startsUnconfigured === true;
    if (!isCapable || room > memoryBytes * LARGEST_PART) {
      return undefined;
    }
    const key = `${image.digest} ${memoryBytes} ${room}`;
    const known = this.#started.get(key);
    const starting = known ?? this.#start(image, memoryBytes, room);
    this.#keep(key, starting);
    const started = await starting;
    const start = performance.now();
    const snapshot = started?.snapshot.configure(configuration);
    if (started === undefined || snapshot === undefined) {
      return undefined;
    }
    const load = performance.now() - start;
    const { cold } = started;
    return {
      snapshot,
      hasStarted: true,
      cold: known === undefined ? { ...cold, load: cold.load + load } : { load },
    };
  }

  #keep(key: string, starting: Promise<Started | undefined>): void {
    this.#started.delete(key);
    this.#started.set(key, starting);
    const [oldest] = this.#started;
    if (this.#started.size > KEPT && oldest !== undefined) {
      const [oldestKey, oldestStart] = oldest;
      this.#started.delete(oldestKey);
      // Who waited for it before uses it before.
      oldestStart.then((started) => started?.snapshot.close()).catch(() => {});
    }
  }

  async #start(image: Image, memoryBytes: number, room: number): Promise<Started | undefined> {
    const start = performance.now();
    const cold = await this.#driver.load({
      image: image.elf,
      configuration: new Map(),
      configurationRoom: room,
      memoryBytes,
    });
    try {
      const loaded = performance.now();
      const shell = await cold.createShell({ reusable: false });
      const created = performance.now();
      try {
        const deadline = performance.now() + START_MILLISECONDS;
        const exit = await shell.run(undefined, deadline, START_MILLISECONDS, 'thread');
        if (exit.kind !== 'unconfigured') {
          this.#logger.warn({ image: image.name, exit: exit.kind }, 'an image does not start');
          return undefined;
        }
        const snapshot = await shell.capture();
        const boot = performance.now() - created;
        return { snapshot, cold: { load: loaded - start, create: created - loaded, boot } };
      } finally {
        await shell.destroy();
      }
    } finally {
      cold.close();
    }
  }
}

function roomFor(configuration: Configuration): number {
  let bytes = 0;
  for (const [name, value] of configuration) {
    bytes += name.length + value.length + ITEM_BYTES;
  }
  return Math.max(SMALLEST_ROOM, 2 ** Math.ceil(Math.log2(bytes)));
}
