/** Commands that do one thing to one domain. */
import { HatcheryError } from '../../errors.js';
import type { Libxl } from '../../xen/libxl.js';
import { EXIT_CODES } from '../exit-codes.js';
import type { Terminal } from '../terminal.js';
import { findDomain, withLibxl } from './toolstack.js';

/** What is done, and how it is said once it is done. */
interface Action {
  readonly description: string;
  readonly done: string;
  readonly act: (libxl: Libxl, domid: number) => Promise<void>;
}

export const ACTIONS = {
  pause: {
    description: 'stop a domain where it is; it keeps its memory',
    done: 'paused',
    act: (libxl, domid) => libxl.pauseDomain(domid),
  },
  unpause: {
    description: 'let a paused domain go on',
    done: 'unpaused',
    act: (libxl, domid) => libxl.unpauseDomain(domid),
  },
  reboot: {
    description: 'ask a guest to boot again',
    done: 'asked to boot again',
    act: (libxl, domid) => libxl.rebootDomain(domid),
  },
  destroy: {
    description: 'end a domain at once, whatever it does',
    done: 'destroyed',
    act: (libxl, domid) => libxl.destroyDomain(domid),
  },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof ACTIONS;

export function act(name: ActionName, argument: string, terminal: Terminal): Promise<number> {
  const { done, act: perform }: Action = ACTIONS[name];
  return withLibxl(async (libxl) => {
    const domid = await findDomain(libxl, argument);
    await perform(libxl, domid);
    terminal.result(`Domain ${argument} (${domid}): ${done}.`, { domid, done: name });
    return EXIT_CODES.ok.code;
  });
}

export interface ShutdownOptions {
  readonly wait?: true;
  /** Seconds. */
  readonly timeout: number;
}

/** Asks the guest to power off; with --wait until it has. */
export function shutDown(
  argument: string,
  { wait, timeout }: ShutdownOptions,
  terminal: Terminal,
): Promise<number> {
  return withLibxl(async (libxl) => {
    const domid = await findDomain(libxl, argument);
    if (wait) {
      await shutDownWithin(timeout, libxl, domid, argument);
      terminal.result(`Domain ${argument} (${domid}): shut down.`, { domid, done: 'shutdown' });
    } else {
      await libxl.shutdownDomain(domid);
      terminal.result(`Domain ${argument} (${domid}): asked to shut down.`, {
        domid,
        done: 'shutdown-asked',
      });
    }
    return EXIT_CODES.ok.code;
  });
}

async function shutDownWithin(
  seconds: number,
  libxl: Libxl,
  domid: number,
  argument: string,
): Promise<void> {
  const after = await libxl.eventPosition();
  const signal = AbortSignal.timeout(seconds * 1000);
  try {
    await libxl.shutdownDomain(domid, { signal });
  } catch (error) {
    // A guest that has no ear for it does not even take note.
    if (!signal.aborted) {
      throw error;
    }
  }
  for await (const event of libxl.events({ after, signal })) {
    if (event.domid === domid) {
      return;
    }
  }
  throw new HatcheryError('DOMAIN_TIMEOUT', { domain: argument, limit: seconds });
}

export function rename(argument: string, name: string, terminal: Terminal): Promise<number> {
  return withLibxl(async (libxl) => {
    const domid = await findDomain(libxl, argument);
    await libxl.renameDomain(domid, name);
    terminal.result(`Domain ${domid} is called ${name} now.`, { domid, done: 'rename', name });
    return EXIT_CODES.ok.code;
  });
}
