/** Whether this machine is one where domains can be made: what its files say, before any addon. */

import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Why Xen cannot be used, and what to do about it. */
export interface Obstacle {
  readonly available: false;
  /** `absent`: this is no Xen host at all, which is nothing to repair. */
  readonly kind: 'absent' | 'broken';
  readonly reason: string;
  readonly remedy: string;
}

const ABSENT = { available: false, kind: 'absent' } as const;
const BROKEN = { available: false, kind: 'broken' } as const;

/** Where xenstored listens; Debian's and upstream's unit files say so. */
const STORE_SOCKETS = ['/run/xenstored/socket', '/var/run/xenstored/socket'];
const CONTROL_DEVICE = '/dev/xen/privcmd';
const EVENT_DEVICE = '/dev/xen/evtchn';

const DOCS = 'See docs/xen.md for how a host is installed.';

/**
 * The first thing that is in the way, in the order in which a person would repair them.
 * @param root in place of `/`, for tests
 */
export function findObstacle(root = '/'): Obstacle | undefined {
  const read = (path: string) => {
    try {
      return readFileSync(join(root, path), 'latin1').trim();
    } catch {
      return undefined;
    }
  };
  const exists = (path: string) => existsSync(join(root, path));

  if (read('/sys/hypervisor/type') !== 'xen') {
    return {
      ...ABSENT,
      reason: 'this machine does not run under Xen',
      remedy: `Start it with the Xen hypervisor if functions are to run there. ${DOCS}`,
    };
  }
  const capabilities = read('/proc/xen/capabilities');
  if (capabilities === undefined) {
    return {
      ...BROKEN,
      reason: '/proc/xen is not mounted, so that nothing tells whether this is Dom0',
      remedy: 'Mount it: "sudo modprobe xenfs; sudo mount -t xenfs xenfs /proc/xen".',
    };
  }
  if (!capabilities.includes('control_d')) {
    return {
      ...ABSENT,
      reason: 'this is a guest of Xen and not its control domain',
      remedy: `Only Dom0 can make domains: install Hatchery there. ${DOCS}`,
    };
  }
  for (const [device, module] of [
    [CONTROL_DEVICE, 'xen-privcmd'],
    [EVENT_DEVICE, 'xen-evtchn'],
  ] as const) {
    if (!exists(device)) {
      return {
        ...BROKEN,
        reason: `${device} does not exist`,
        remedy: `Load its module: "sudo modprobe ${module}".`,
      };
    }
    if (!mayOpen(join(root, device))) {
      return {
        ...BROKEN,
        reason: `this user may not open ${device}`,
        remedy: 'Run this as root: whoever controls Xen controls the machine.',
      };
    }
  }
  if (!STORE_SOCKETS.some(exists)) {
    return {
      ...BROKEN,
      reason: 'xenstored does not run',
      remedy: 'Start it: "sudo systemctl start xenstored xen-init-dom0" (or "service xen start").',
    };
  }
  return undefined;
}

function mayOpen(path: string): boolean {
  try {
    closeSync(openSync(path, 'r+'));
    return true;
  } catch {
    return false;
  }
}

/** Xen's headers, without which the addon is not built; a package of Debian's. */
export function hasHeaders(root = '/'): boolean {
  return existsSync(join(root, '/usr/include/xenctrl.h'));
}
