/** Xen: whether this machine is a Dom0 in which domains can be made. */
import { findObstacle } from '../../drivers/xen-host.js';
import type { Check } from './check.js';
import { checkDriver } from './driver.js';

const name = 'xen';

/** `limited` where this is no Xen host; `lacking` where it is one that something is missing on. */
export function checkXen(): Check {
  const obstacle = findObstacle();
  if (obstacle?.kind === 'absent') {
    return { name, state: 'limited', detail: obstacle.reason, remedy: obstacle.remedy };
  }
  return checkDriver(name);
}
