/** Xen: whether this machine is a Dom0 in which domains can be made. */
import { detectDrivers } from '../../drivers/detect.js';
import { findObstacle } from '../../drivers/xen-host.js';
import type { Check } from './check.js';

const name = 'xen';

/** `limited` where this is no Xen host; `lacking` where it is one that something is missing on. */
export function checkXen(): Check {
  const obstacle = findObstacle();
  if (obstacle?.kind === 'absent') {
    return { name, state: 'limited', detail: obstacle.reason, remedy: obstacle.remedy };
  }
  const found = detectDrivers().find((driver) => driver.name === 'xen')?.availability;
  if (found === undefined) {
    throw new Error('there is no driver xen');
  }
  return found.available
    ? { name, state: 'ok', detail: found.detail }
    : { name, state: 'lacking', detail: found.reason, remedy: found.remedy };
}
