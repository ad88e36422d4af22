/** Which drivers can work on this machine. */

import { HatcheryError } from '../errors.js';
import type { Availability, Driver, DriverName } from './driver.js';
import { KvmDriver } from './kvm.js';
import { kvmFailure } from './kvm-failure.js';
import { loadKvmAddon } from './kvm-native.js';

export interface DetectedDriver {
  readonly name: DriverName;
  readonly availability: Availability;
}

/** Tries each driver; what a machine lacks is said, not thrown. */
export function detectDrivers(): DetectedDriver[] {
  return [{ name: 'kvm', availability: tryKvm() }];
}

/** What there is to say of a driver that works. */
export function driverDetail(name: DriverName): string | undefined {
  const found = detectDrivers().find((driver) => driver.name === name)?.availability;
  return found?.available ? found.detail : undefined;
}

function tryKvm(): Availability {
  try {
    const facts = loadKvmAddon().probe();
    const vectors = facts.reportsXsave ? 'with' : 'without';
    return {
      available: true,
      detail:
        `/dev/kvm works; time-stamp counter at ${(facts.tscHertz / 1e6).toFixed(0)} MHz, ` +
        `CPUID ${vectors} XSAVE`,
    };
  } catch (error) {
    const failure = HatcheryError.from(kvmFailure(error));
    const { reason, remedy } = failure.details;
    return {
      available: false,
      reason: typeof reason === 'string' ? reason : failure.message,
      remedy: typeof remedy === 'string' ? remedy : 'See the message.',
    };
  }
}

/**
 * Opens a driver: the one named, or the first that works.
 * @throws HatcheryError of the driver that was named, or of the first where none works.
 */
export function openDriver(name: 'auto' | DriverName = 'auto'): Driver {
  if (name === 'auto' || name === 'kvm') {
    return new KvmDriver();
  }
  throw new HatcheryError('INVALID_ARGUMENT', {
    problem: `the driver ${name} is not part of this version; use kvm or auto`,
  });
}
