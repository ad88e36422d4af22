/** Which drivers can work on this machine. */

import { HatcheryError } from '../errors.js';
import type { Availability, Driver, DriverName, XenGuestType } from './driver.js';
import { KvmDriver } from './kvm.js';
import { isKvmHidden, kvmFailure, refuseHiddenKvm } from './kvm-failure.js';
import { loadKvmAddon } from './kvm-native.js';
import { ProcessDriver } from './process.js';
import { processUnavailable } from './process-failure.js';
import { LAUNCHER, loadProcessGuestsAddon, SPAWNER } from './process-guests-native.js';
import { XenDriver } from './xen.js';
import { xenUnavailable } from './xen-failure.js';
import { findObstacle } from './xen-host.js';
import { loadXenAddon } from './xen-native.js';

const TRIALS = new Map<DriverName, () => Availability>([
  ['kvm', () => availabilityOf(describeKvm, kvmFailure)],
  ['process', () => availabilityOf(describeProcess, processUnavailable)],
  ['xen', () => findObstacle() ?? availabilityOf(describeXen, xenUnavailable)],
]);

/**
 * Tries a driver; what a machine lacks is said, not thrown.
 * @returns `undefined` where the driver is not part of this version
 */
export function detectDriver(name: DriverName): Availability | undefined {
  return TRIALS.get(name)?.();
}

/** What there is to say of a driver that works. */
export function driverDetail(name: DriverName): string | undefined {
  const found = detectDriver(name);
  return found?.available ? found.detail : undefined;
}

function availabilityOf(describe: () => string, typed: (error: unknown) => unknown): Availability {
  try {
    return { available: true, detail: describe() };
  } catch (error) {
    const failure = HatcheryError.from(typed(error));
    const { reason, remedy } = failure.details;
    return {
      available: false,
      reason: typeof reason === 'string' ? reason : failure.message,
      remedy: typeof remedy === 'string' ? remedy : 'See the message.',
    };
  }
}

function describeKvm(): string {
  refuseHiddenKvm();
  const facts = loadKvmAddon().probe();
  const vectors = facts.reportsXsave ? 'with' : 'without';
  const pages = facts.hasLargePages
    ? 'guests get large pages'
    : 'guests get small pages only, as the kernel cannot find written ones (Linux 6.7 can)';
  return (
    `/dev/kvm works; time-stamp counter at ${(facts.tscHertz / 1e6).toFixed(0)} MHz, ` +
    `CPUID ${vectors} XSAVE; ${pages}`
  );
}

function describeProcess(): string {
  const { grantsForks } = loadProcessGuestsAddon().probe(SPAWNER, LAUNCHER);
  const forks = grantsForks
    ? 'forks are granted one by one'
    : 'no clone, as the kernel cannot grant forks (Linux 5.9 can)';
  return `processes behind a filter for system calls, a thinner wall than a virtual machine; ${forks}`;
}

function describeXen(): string {
  const { xenVersion, tscHertz, hasHvm } = loadXenAddon().probe();
  const types = hasHvm ? 'PVH and PV domains' : 'PV domains only, as there is no VT-x or AMD-V';
  return `Xen ${xenVersion}; ${types}; time-stamp counter at ${(tscHertz / 1e6).toFixed(0)} MHz`;
}

export interface DriverOptions {
  /** The kind of Xen's domains; only with Xen. Default: `pvh`. */
  readonly xenType?: XenGuestType | undefined;
}

/**
 * Opens a driver: the one named, or the first that works.
 * @throws HatcheryError of the driver that was named, or of the first where none works;
 *   INVALID_ARGUMENT
 */
export function openDriver(
  name: 'auto' | DriverName = 'auto',
  { xenType }: DriverOptions = {},
): Driver {
  const chosen = chooseDriver(name);
  if (xenType !== undefined && chosen !== 'xen') {
    throw new HatcheryError('INVALID_ARGUMENT', {
      problem: `the kind of domains (${xenType}) is for the driver xen, and this is ${chosen}`,
    });
  }
  switch (chosen) {
    case 'kvm':
      return new KvmDriver();
    case 'xen':
      return new XenDriver({ guestType: xenType });
    case 'process':
      return new ProcessDriver();
    default:
      throw new HatcheryError('INVALID_ARGUMENT', {
        problem: `the driver ${chosen} is not part of this version; use kvm, process, xen or auto`,
      });
  }
}

/**
 * The driver that {@link openDriver} opens: in a Dom0 without KVM it is Xen, elsewhere KVM where that
 * works, and processes where it does not. Where nothing works it is KVM, whose remedies are worth most,
 * unless somebody has hidden that.
 */
export function chooseDriver(name: 'auto' | DriverName): DriverName {
  if (name !== 'auto') {
    return name;
  }
  const works = (driver: DriverName) => detectDriver(driver)?.available === true;
  const isDomain0 = findObstacle() === undefined;
  const order: DriverName[] = isDomain0 ? ['kvm', 'xen', 'process'] : ['kvm', 'process'];
  return order.find(works) ?? (isKvmHidden() ? 'process' : 'kvm');
}
