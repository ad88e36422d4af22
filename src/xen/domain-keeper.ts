/**
 * Does with a domain what its configuration says is to become of it once it has shut down: on_poweroff,
 * on_reboot, on_crash, on_watchdog, on_soft_reset. Neither Xen nor libxl does; xl leaves a process of
 * its own behind for each domain.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libxl } from './libxl.js';
import type { ActionOnShutdown, DomainConfig } from './libxl-config.js';
import type { ShutdownReason } from './libxl-info.js';

const KEYS = {
  poweroff: 'on_poweroff',
  reboot: 'on_reboot',
  crash: 'on_crash',
  watchdog: 'on_watchdog',
  soft_reset: 'on_soft_reset',
} as const;

/** A domain that lived for less time than this is not made again at once, but after a while. */
const SHORT_LIFE_MILLISECONDS = 10_000;
const PAUSE_MILLISECONDS = 2_000;

export interface KeepOptions {
  /** Told what happens, in sentences. */
  readonly log: (text: string) => void;
  /** Ends the keeping; the domain goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Keeps a domain, and those that are made in its place, until the last of them is gone.
 * @throws HatcheryError what libxl fails with, where a domain cannot be made again
 */
export async function keepDomain(
  libxl: Libxl,
  domid: number,
  { log, signal }: KeepOptions,
): Promise<void> {
  let kept: number | undefined = domid;
  while (kept !== undefined && !signal?.aborted) {
    const born = performance.now();
    const reason = await untilDown(libxl, kept, signal);
    if (reason === undefined) {
      log(`domain ${kept} is not kept any more`);
      return;
    }
    kept = await followUp(libxl, kept, reason, { log, lived: performance.now() - born });
  }
}

/** Why the domain shut down; undefined where it is gone, or need not be kept any more. */
async function untilDown(
  libxl: Libxl,
  domid: number,
  signal: AbortSignal | undefined,
): Promise<ShutdownReason | undefined> {
  const after = await libxl.eventPosition();
  const all = await libxl.listDomains();
  const info = all.find((domain) => domain.domid === domid);
  if (info === undefined || info.dying) {
    return undefined;
  }
  if (info.shutdown && info.shutdown_reason !== 'suspend') {
    return info.shutdown_reason ?? 'unknown';
  }
  for await (const event of libxl.events({ after, ...(signal === undefined ? {} : { signal }) })) {
    if (event.domid !== domid || event.reason === 'suspend') {
      // Suspended: somebody saves it, who also says what becomes of it.
      continue;
    }
    return event.type === 'death' ? undefined : (event.reason ?? 'unknown');
  }
  return undefined;
}

interface FollowUp {
  readonly log: (text: string) => void;
  /** Milliseconds that the domain was there. */
  readonly lived: number;
}

/** @returns the domain that took its place; undefined where there is none to keep */
async function followUp(
  libxl: Libxl,
  domid: number,
  reason: ShutdownReason,
  { log, lived }: FollowUp,
): Promise<number | undefined> {
  const ended = await putAway(libxl, domid, reason, log).catch(async (error) => {
    if (await libxl.isAlive(domid)) {
      throw error;
    }
    log(`domain ${domid} was destroyed by somebody else`);
  });
  if (ended === undefined || !MAKES_ANOTHER.has(ended.action)) {
    return undefined;
  }
  if (lived < SHORT_LIFE_MILLISECONDS) {
    await sleep(PAUSE_MILLISECONDS);
  }
  const next = await libxl.createDomain(successorOf(ended));
  await libxl.unpauseDomain(next);
  log(`domain ${next} (${ended.config.c_info.name}) is there in its place`);
  return next;
}

/** A domain that has shut down, and is out of its successor's way. */
interface Ended {
  readonly config: DomainConfig;
  readonly action: ActionOnShutdown;
}

const MAKES_ANOTHER: ReadonlySet<ActionOnShutdown> = new Set([
  'restart',
  'restart_rename',
  'coredump_restart',
  'soft_reset',
]);

/** Does what is to be done with the domain itself. */
async function putAway(
  libxl: Libxl,
  domid: number,
  reason: ShutdownReason,
  log: (text: string) => void,
): Promise<Ended> {
  const config = await libxl.domainConfig(domid);
  const action = actionFor(config, reason);
  log(`domain ${domid} (${config.c_info.name}) has shut down: ${reason}; now: ${action}`);
  if (action.startsWith('coredump')) {
    log('no core dump is written: libxl is not asked for one yet');
  }
  if (action === 'restart_rename') {
    await libxl.renameDomain(domid, `${config.c_info.name}-${domid}`);
  } else if (action !== 'preserve') {
    await libxl.destroyDomain(domid);
  }
  return { config, action };
}

function actionFor(config: DomainConfig, reason: ShutdownReason): ActionOnShutdown {
  const key = Object.hasOwn(KEYS, reason) ? KEYS[reason as keyof typeof KEYS] : undefined;
  // What libxl leaves out has its default.
  return (key === undefined ? undefined : config[key]) ?? 'destroy';
}

/** The old configuration; the domain's number is a new one, and so is the UUID where the old one stays. */
function successorOf({ config, action }: Ended): DomainConfig {
  const { domid: _, ...identity } = config.c_info;
  const uuid = action === 'restart_rename' ? { uuid: randomUUID() } : {};
  return { ...config, c_info: { ...identity, ...uuid } };
}
