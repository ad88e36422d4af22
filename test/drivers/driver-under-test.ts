/**
 * The driver that the tests of this process are about: the one that HATCHERY_TEST_DRIVER names (`kvm`,
 * `process`, `xen` for PVH domains, `xen-pv`); by default KVM, or processes where there is no KVM. Tests say what they do in terms of KVM; what differs
 * is here, so that there is one test for all drivers.
 */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { detectDriver, openDriver } from '../../src/drivers/detect.js';
import type { Driver, DriverName, Strategy, XenGuestType } from '../../src/drivers/driver.js';
import { defaultDriver } from './default-driver.js';

interface TestedDriver {
  readonly name: DriverName;
  readonly xenType?: XenGuestType;
  readonly strategies: readonly Strategy[];
  /**
   * By how much longer everything takes: Xen's tests run in an emulated machine, whose processor
   * is some thirty times slower.
   */
  readonly slowness: number;
  /** The share of KVM's repetitions that is worth the time there. */
  readonly share: number;
  /** The share of a limit, by that measure, that a test can wait out there. */
  readonly patience: number;
}

const DRIVERS: Readonly<Record<string, TestedDriver>> = {
  kvm: {
    name: 'kvm',
    strategies: ['boot', 'clone', 'pool', 'reset'],
    slowness: 1,
    share: 1,
    patience: 1,
  },
  process: {
    name: 'process',
    strategies: ['boot', 'clone', 'pool'],
    slowness: 1,
    share: 1,
    patience: 1,
  },
  xen: {
    name: 'xen',
    xenType: 'pvh',
    strategies: ['boot', 'clone', 'pool', 'reset'],
    slowness: 30,
    share: 1 / 200,
    patience: 1 / 4,
  },
  'xen-pv': {
    name: 'xen',
    xenType: 'pv',
    strategies: ['boot', 'pool'],
    slowness: 30,
    share: 1 / 200,
    patience: 1 / 4,
  },
};

/** Whoever names none gets KVM, and processes where a machine has no KVM. */
const { HATCHERY_TEST_DRIVER: named } = process.env;
const asked = named ?? (defaultDriver === 'process' ? 'process' : 'kvm');

function testedDriver(): TestedDriver {
  const driver = DRIVERS[asked];
  if (driver === undefined) {
    throw new Error(
      `HATCHERY_TEST_DRIVER is ${asked}; it may be ${Object.keys(DRIVERS).join(', ')}`,
    );
  }
  return driver;
}

export const tested = testedDriver();

/** Why its tests cannot run here, or false: for tap's `skip`. */
export const untestable: string | false = whyNot(tested.name);

/** For tests that are about one driver only: why they cannot run here, or false. */
export function untestableBut(name: DriverName): string | false {
  return tested.name === name ? untestable : `is about ${name}`;
}

/** For tests that the lab's Dom0 has not the means or the time for: why they cannot run here, or false. */
export function untestableInLab(why: string): string | false {
  return tested.name === 'xen' ? why : untestable;
}

/** For tests that are about no driver at all: once is enough, where all of the checkout is. */
export const driverless: string | false =
  named !== undefined && named !== 'kvm' && 'is about no driver';

function whyNot(name: DriverName): string | false {
  const found = detectDriver(name);
  return found?.available === true ? false : `needs ${name}: ${found?.reason ?? 'no driver'}`;
}

/** A driver of that kind; the caller closes it. */
export function openTestedDriver(): Driver {
  return openDriver(tested.name, { xenType: tested.xenType });
}

/** A limit or a bound, given what it is on KVM. */
export const milliseconds = (onKvm: number): number => onKvm * tested.slowness;

/**
 * A limit that a test waits out, given what it is on KVM; it becomes longer still by `milliseconds` or
 * by a deployment.
 */
export const waitedOut = (onKvm: number): number => onKvm * tested.patience;

/** How often something is done, given how often on KVM. At least `least` times. */
export const repetitions = (onKvm: number, least = 1): number =>
  Math.max(Math.min(least, onKvm), Math.ceil(onKvm * tested.share));

/** Those of these strategies that the driver has. */
export const strategiesOf = (...some: readonly Strategy[]): Strategy[] =>
  some.filter((strategy) => tested.strategies.includes(strategy));

/** Whether start-up code runs once, and instances come from its snapshot. */
export const hasSnapshots = tested.strategies.includes('clone');

/** For tests that rewind: why they cannot run here, or false. */
export const withoutRewind: string | false =
  untestable || (!tested.strategies.includes('reset') && `needs rewinding, which ${asked} refuses`);

/** For tests of snapshots: why they cannot run here, or false. */
export const withoutSnapshots: string | false =
  untestable || (!hasSnapshots && `needs snapshots, which ${asked} has not`);

/** Virtual machines: of this process (KVM, or the processes that are guests of its), or of this whole host but for Dom0 (Xen). */
export function countMachines(): number {
  if (tested.name === 'kvm') {
    const files = readdirSync('/proc/self/fd').map(targetOf);
    const count = (kind: string) => files.filter((file) => file.includes(kind)).length;
    return Math.max(count('kvm-vm'), count('kvm-vcpu'));
  }
  if (tested.name === 'process') {
    return guestProcesses(process.pid);
  }
  const lines = execFileSync('xl', ['list'], { encoding: 'utf8' }).trim().split('\n');
  return lines.length - XL_OTHER_LINES;
}

/** Of the descendants of a process, those that are guests; a snapshot's own is one, too. */
function guestProcesses(of: number): number {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
        const [, command = '', state, parent] = /\((.*)\) (\S) (\d+)/.exec(stat) ?? [];
        return { process: Number(name), command, state, parent: Number(parent) };
      } catch {
        return { process: 0, command: '', state: '', parent: 0 }; // gone in the meantime
      }
    });
  const count = (ancestor: number): number =>
    parents
      .filter(({ parent, process }) => parent === ancestor && process !== 0)
      .reduce(
        (sum, { process, command }) => sum + (command === GUEST_COMMAND ? 1 : 0) + count(process),
        0,
      );
  return count(of);
}

/** As the kernel cuts the launcher's name off. */
const GUEST_COMMAND = 'hatchery-launch';

/** The heading, and Dom0. */
const XL_OTHER_LINES = 2;

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ''; // closed in the meantime
  }
}

/**
 * Their number, once it is `expected` or has not become so for long: Xen's domains, and processes, end some time after
 * their owners are done with them.
 */
export async function countMachinesOnce(expected: number): Promise<number> {
  const patience = performance.now() + milliseconds(1000);
  while (tested.name !== 'kvm' && countMachines() !== expected && performance.now() < patience) {
    await sleep(milliseconds(10));
  }
  return countMachines();
}
