/** From an image and a function's code to virtual machines at their snapshot point. */
import type { BaseLogger } from 'pino';
import type { Configuration, Driver, Shell, Snapshot } from '../drivers/driver.js';
import type { Image } from '../image/store.js';
import type { ColdPhases } from '../timeline.js';
import type { Failures } from './failure.js';
import { GuestLog } from './guest-log.js';
import type { Limits } from './limits.js';
import type { Redaction } from './redaction.js';
import type { Made } from './stock.js';

/** What is needed to start an instance of a function from nothing. */
export interface Blueprint {
  readonly function: string;
  readonly driver: Driver;
  readonly image: Image;
  readonly configuration: Configuration;
  readonly limits: Limits;
  readonly failures: Failures;
  readonly logger: BaseLogger;
  readonly redaction: Redaction;
}

/**
 * The guest watches over its start-up code itself, because it knows where that is; the host ends a
 * guest that does not.
 */
const GRACE_MILLISECONDS = 250;

export interface Loaded {
  readonly snapshot: Snapshot;
  readonly cold: ColdPhases;
}

/**
 * @param shellsAhead as `LoadOptions` has it
 * @throws HatcheryError CONFIGURATION_INVALID, DRIVER_FAILED
 */
export async function load(blueprint: Blueprint, shellsAhead = 0): Promise<Loaded> {
  const start = performance.now();
  const snapshot = await blueprint.driver.load({
    image: blueprint.image.elf,
    configuration: blueprint.configuration,
    memoryBytes: blueprint.limits.memoryBytes,
    name: blueprint.function,
    shellsAhead,
  });
  return { snapshot, cold: { load: performance.now() - start } };
}

/**
 * Boots a new shell of a cold snapshot up to its snapshot point.
 * @throws HatcheryError STARTUP_FAILED, STARTUP_PENDING, STARTUP_TIMEOUT, MEMORY_EXCEEDED,
 *   LOG_EXCEEDED, DRIVER_FAILED
 */
export async function boot(blueprint: Blueprint, snapshot: Snapshot): Promise<Made> {
  const since = performance.now();
  const shell = await snapshot.createShell({ reusable: false });
  const created = performance.now();
  try {
    await runUntilReady(blueprint, shell);
  } catch (error) {
    await shell.destroy();
    throw error;
  }
  const cold = { create: created - since, boot: performance.now() - created };
  return { shell, since, cold };
}

async function runUntilReady(blueprint: Blueprint, shell: Shell): Promise<void> {
  const { failures, limits, logger, redaction } = blueprint;
  const log = new GuestLog(logger, { function: blueprint.function }, limits.maxLogBytes, redaction);
  const deadline = performance.now() + limits.startupMilliseconds + GRACE_MILLISECONDS;
  for (let resume: { reason: 'continue' } | undefined; ; resume = { reason: 'continue' }) {
    const exit = await shell.run(resume, deadline, deadline - performance.now(), 'thread');
    if (exit.logs !== undefined) {
      log.write(exit.logs);
    }
    if (exit.kind === 'ready') {
      return;
    }
    if (exit.kind !== 'log' || performance.now() > deadline) {
      throw failures.whileStarting(exit);
    }
  }
}
