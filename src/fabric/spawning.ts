/** The four ways to come by an instance; see the design's table of strategies. */
import type { Shell, Snapshot, Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { ColdPhases } from '../timeline.js';
import { Renewable } from './renewable.js';
import { type Blueprint, boot, load, loadStarted } from './start.js';
import type { Loaded } from './started-images.js';
import type { Made } from './stock.js';

/** How the instances of one deployed function are made. */
export interface Spawning {
  readonly strategy: Strategy;
  /** What the first start took. */
  readonly cold: ColdPhases;
  /** Whether one may be rewound after a request and used again. */
  readonly reusable: boolean;
  /** How many are worth keeping ready. */
  readonly ahead: number;
  /** The first one, where there is one already. */
  readonly first: Made | undefined;
  /** Makes an instance at its snapshot point. */
  make(): Promise<Made>;
  /** What they were made from is lost: the function is started once more for the next. */
  renew(): void;
  /** Frees the snapshots, once the last instance made from them has ended. */
  close(): void;
}

const AHEAD: Readonly<Record<Strategy, number>> = { boot: 0, clone: 4, pool: 4, reset: 1 };
/** How many empty machines, for drivers that keep some. */
const EMPTY_AHEAD: Readonly<Record<Strategy, number>> = { ...AHEAD, boot: 4 };

/**
 * Starts a function for the first time, whatever the strategy: what is wrong with its start-up code
 * is an error now and not at the first request.
 * @param poolSize how many are kept ready; `undefined`: as many as the strategy is worth.
 * @throws HatcheryError as {@link load} and {@link boot}
 */
export async function prepare(
  blueprint: Blueprint,
  strategy: Strategy,
  poolSize: number | undefined,
): Promise<Spawning> {
  const ahead = poolSize ?? AHEAD[strategy];
  // Where each request is to have a whole boot, the first one is one too.
  const loadFirst = strategy === 'boot' ? load : loadStarted;
  const loaded = await loadFirst(blueprint, poolSize ?? EMPTY_AHEAD[strategy]);
  try {
    const first = await boot(blueprint, loaded);
    const cold = sum(loaded.cold, first.cold);
    const common = { strategy, ahead, reusable: strategy === 'reset' };
    if (strategy === 'pool') {
      const source = new Renewable<Loaded>(
        loaded,
        () => loadStarted(blueprint, 0),
        ({ snapshot }) => snapshot.close(),
      );
      const make = async () => boot(blueprint, await source.get());
      return {
        ...common,
        cold,
        first,
        make,
        renew: () => source.lose(),
        close: () => source.lose(),
      };
    }
    if (strategy === 'boot') {
      await first.shell.destroy();
      const { snapshot } = loaded;
      const make = () => startAnew(blueprint);
      // Nothing is kept that could be lost.
      const spawning = { ...common, cold, first: undefined, make, renew: () => {} };
      if (blueprint.driver.keepsEmptyShells) {
        // While it is open there are empty machines, which are as good for what is loaded anew.
        return { ...spawning, close: () => snapshot.close() };
      }
      snapshot.close();
      return { ...spawning, close: () => {} };
    }
    const start = performance.now();
    const { ready, made } = await captureFirst(first.shell);
    loaded.snapshot.close();
    const source = new Renewable(
      ready,
      () => captureAnew(blueprint),
      (snapshot) => snapshot.close(),
    );
    return {
      ...common,
      first: made,
      cold: { ...cold, init: performance.now() - start },
      make: () => overRenewable(source),
      renew: () => source.lose(),
      close: () => source.lose(),
    };
  } catch (error) {
    loaded.snapshot.close();
    throw error;
  }
}

/** A snapshot of a shell, and a shell of the snapshot: the same one where the driver lets it be. */
async function captureFirst(shell: Shell): Promise<{ ready: Snapshot; made: Made }> {
  let ready: Snapshot | undefined;
  try {
    ready = await shell.capture();
    const since = performance.now();
    if (shell.joinCaptured()) {
      return { ready, made: { shell, since, cold: { create: performance.now() - since } } };
    }
    const made = await overSnapshot(ready);
    // Nobody has to wait for that: it takes about as long as making one.
    shell.destroy();
    return { ready, made };
  } catch (error) {
    ready?.close();
    await shell.destroy();
    throw error;
  }
}

/** A start may have had a start of its image in it: both count. */
function sum(loading: ColdPhases, booting: ColdPhases): ColdPhases {
  const { create = 0, boot: booted = 0 } = loading;
  return {
    ...loading,
    create: create + (booting.create ?? 0),
    boot: booted + (booting.boot ?? 0),
  };
}

async function startAnew(blueprint: Blueprint): Promise<Made> {
  const since = performance.now();
  const loaded = await load(blueprint);
  try {
    const booted = await boot(blueprint, loaded);
    return { shell: booted.shell, since, cold: { ...loaded.cold, ...booted.cold } };
  } finally {
    loaded.snapshot.close();
  }
}

async function captureAnew(blueprint: Blueprint): Promise<Snapshot> {
  const { shell } = await startAnew(blueprint);
  try {
    return await shell.capture();
  } finally {
    await shell.destroy();
  }
}

/** A snapshot can be lost alone: where it is a process, and that is killed. */
async function overRenewable(source: Renewable<Snapshot>): Promise<Made> {
  const snapshot = source.get();
  try {
    return await overSnapshot(await snapshot);
  } catch (error) {
    if (HatcheryError.from(error).code !== 'SNAPSHOT_LOST') {
      throw error;
    }
    source.lose(snapshot);
    return overSnapshot(await source.get());
  }
}

async function overSnapshot(snapshot: Snapshot): Promise<Made> {
  const since = performance.now();
  // Also where it is never rewound: the record tells what memory its request used.
  const shell = await snapshot.createShell({ reusable: true });
  return { shell, since, cold: { create: performance.now() - since } };
}
