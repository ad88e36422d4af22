/** From an image and a function's code to virtual machines at their snapshot point. */
import type { BaseLogger } from 'pino';
import type { Configuration, Driver, Exit, Resume, Shell } from '../drivers/driver.js';
import type { Image } from '../image/images.js';
import type { Failures } from './failure.js';
import { GuestLog } from './guest-log.js';
import type { Limits } from './limits.js';
import type { Redaction } from './redaction.js';
import type { Loaded, StartedImages } from './started-images.js';
import type { Made } from './stock.js';

/** What is needed to start an instance of a function from nothing. */
export interface Blueprint {
  readonly function: string;
  readonly driver: Driver;
  readonly image: Image;
  readonly startedImages: StartedImages;
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

const CONTINUE: Resume = { reason: 'continue' };

/**
 * A cold snapshot for machines that boot from the image's first instruction.
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
  return { snapshot, cold: { load: performance.now() - start }, hasStarted: false };
}

/**
 * The same for machines that go on from where the image has started once for all its functions, if it
 * can.
 * @throws HatcheryError as {@link load}
 */
export async function loadStarted(blueprint: Blueprint, shellsAhead: number): Promise<Loaded> {
  const { startedImages, image, configuration, limits } = blueprint;
  const started = await startedImages.configure(image, configuration, limits.memoryBytes);
  return started ?? load(blueprint, shellsAhead);
}

/**
 * Boots a new shell of a cold snapshot up to its snapshot point.
 * @throws HatcheryError STARTUP_FAILED, STARTUP_PENDING, STARTUP_TIMEOUT, MEMORY_EXCEEDED,
 *   LOG_EXCEEDED, DRIVER_FAILED
 */
export async function boot(blueprint: Blueprint, loaded: Loaded): Promise<Made> {
  const since = performance.now();
  const shell = await loaded.snapshot.createShell({ reusable: false });
  const created = performance.now();
  try {
    await runUntilReady(blueprint, shell, loaded.hasStarted);
  } catch (error) {
    await shell.destroy();
    throw error;
  }
  const cold = { create: created - since, boot: performance.now() - created };
  return { shell, since, cold };
}

async function runUntilReady(
  blueprint: Blueprint,
  shell: Shell,
  hasStarted: boolean,
): Promise<void> {
  const { failures, limits, logger, redaction } = blueprint;
  const log = new GuestLog(logger, { function: blueprint.function }, limits.maxLogBytes, redaction);
  const deadline = performance.now() + limits.startupMilliseconds + GRACE_MILLISECONDS;
  /** What the next run answers; nothing: the start itself. */
  let resume: Resume | undefined;
  for (let isConfigured = hasStarted; ; ) {
    const exit: Exit = await shell.run(resume, deadline, deadline - performance.now(), 'thread');
    if (exit.logs !== undefined) {
      log.write(exit.logs);
    }
    if (exit.kind === 'ready') {
      return;
    }
    if (performance.now() > deadline) {
      throw failures.whileStarting(exit);
    }
    if (exit.kind === 'log') {
      resume = CONTINUE;
    } else if (exit.kind === 'unconfigured' && !isConfigured) {
      isConfigured = true;
      resume = undefined;
    } else {
      throw failures.whileStarting(exit);
    }
  }
}
