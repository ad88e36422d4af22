/** Commands for domains work in a Dom0 only. */
import { findObstacle } from '../drivers/xen-host.js';
import { HatcheryError } from '../errors.js';

export { findObstacle as dom0Problem };

/** @throws HatcheryError XEN_UNAVAILABLE */
export function requireDom0(): void {
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    const { reason, remedy } = obstacle;
    throw new HatcheryError('XEN_UNAVAILABLE', { reason, remedy });
  }
}
