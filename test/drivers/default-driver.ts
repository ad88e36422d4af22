/**
 * The driver that functions get which name none: KVM where it works, and processes where it does not or
 * where HATCHERY_HIDE_KVM=1 hides it. For tests that are about what is above drivers.
 */

import { chooseDriver, detectDriver } from '../../src/drivers/detect.js';
import type { DriverName, Strategy } from '../../src/drivers/driver.js';

/** What `auto` takes here. */
export const defaultDriver: DriverName = chooseDriver('auto');

const found = detectDriver(defaultDriver);

/** For tap's `skip`: false where a driver works, else why none does. */
export const noDriver: string | false =
  found?.available === true
    ? false
    : `needs a driver, and ${defaultDriver} is none: ${found?.reason ?? 'not built'}`;

const STRATEGIES: readonly Strategy[] = ['reset', 'clone', 'pool', 'boot'];

/** How its functions may get their machines: by the first where nobody says. */
export const strategies: readonly Strategy[] =
  defaultDriver === 'process' ? STRATEGIES.filter((name) => name !== 'reset') : STRATEGIES;

export const defaultStrategy = strategies[0] as Strategy;
