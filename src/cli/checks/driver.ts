/** A driver: whether it finds all that it needs. */
import { detectDriver } from '../../drivers/detect.js';
import type { DriverName } from '../../drivers/driver.js';
import type { Check } from './check.js';

/** Does the driver find all that it needs? */
export function checkDriver(name: DriverName): Check {
  const found = detectDriver(name);
  if (found === undefined) {
    throw new Error(`there is no driver ${name}`);
  }
  return found.available
    ? { name, state: 'ok', detail: found.detail }
    : { name, state: 'lacking', detail: found.reason, remedy: found.remedy };
}
