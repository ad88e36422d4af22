/** Whether this is a Dom0, from where domains can be made; and if not, what to do about it. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { HatcheryError } from '../errors.js';

export interface Dom0Problem {
  /** Goes into a sentence: "Xen cannot be used: …". */
  readonly reason: string;
  readonly remedy: string;
}

/** Where the kernel says what it runs on, and whether it is Dom0's. */
const HYPERVISOR = '/sys/hypervisor/type';
const CAPABILITIES = '/proc/xen/capabilities';
/** Through it Dom0's processes make hypercalls. */
const PRIVCMD = '/dev/xen/privcmd';

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What keeps this process from being a toolstack; undefined where nothing does that can be seen. */
export function dom0Problem(): Dom0Problem | undefined {
  if (textOf(HYPERVISOR) !== 'xen') {
    return {
      reason: 'this machine does not run Xen',
      remedy: 'Install it and boot it (docs/xen.md).',
    };
  }
  if (existsSync(CAPABILITIES) && !textOf(CAPABILITIES).includes('control_d')) {
    return {
      reason: 'this is a guest of Xen and not its Dom0',
      remedy: 'Run it in Dom0, the domain that Xen starts first.',
    };
  }
  if (!existsSync(PRIVCMD)) {
    return {
      reason: `there is no ${PRIVCMD}`,
      remedy: 'Load the module: modprobe xen-privcmd; in a guest of Xen there is no way.',
    };
  }
  try {
    accessSync(PRIVCMD, constants.R_OK | constants.W_OK);
  } catch {
    return { reason: `this user may not open ${PRIVCMD}`, remedy: 'Run it as root.' };
  }
  return undefined;
}

/** @throws HatcheryError XEN_UNAVAILABLE */
export function requireDom0(): void {
  const problem = dom0Problem();
  if (problem !== undefined) {
    throw new HatcheryError('XEN_UNAVAILABLE', { ...problem });
  }
}
