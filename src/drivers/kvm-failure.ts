/** Why KVM cannot be used, as a typed error. */

import { constants } from 'node:os';
import { HatcheryError } from '../errors.js';
import { driverFailure, errnoName, isNativeFailure } from './native-failure.js';

/** The typed error for what `probe` or `load` threw. */
export function kvmFailure(error: unknown): unknown {
  if (isNativeFailure(error) && error.call === 'open(/dev/kvm)') {
    return new HatcheryError('KVM_UNAVAILABLE', whyClosed(error.errno), { cause: error });
  }
  return driverFailure(error);
}

/** HATCHERY_HIDE_KVM=1 makes this machine one without KVM, to try what it is like there. */
export function isKvmHidden(): boolean {
  return process.env.HATCHERY_HIDE_KVM === '1';
}

/** @throws HatcheryError KVM_UNAVAILABLE where it is hidden */
export function refuseHiddenKvm(): void {
  if (isKvmHidden()) {
    throw new HatcheryError('KVM_UNAVAILABLE', {
      reason: 'HATCHERY_HIDE_KVM hides it',
      remedy: 'Unset that variable to use it.',
    });
  }
}

/** What it means that /dev/kvm cannot be opened, and what to do about it. */
export function whyClosed(errno: number): { reason: string; remedy: string } {
  switch (errno) {
    case constants.errno.ENOENT:
      return {
        reason: 'it does not exist',
        remedy:
          'Load the module (`sudo modprobe kvm_intel` or `kvm_amd`), switch virtualisation on in ' +
          'the firmware, or, in a cloud machine, choose a kind with nested virtualisation. In a ' +
          'container, pass the device (`--device /dev/kvm`).',
      };
    case constants.errno.EACCES:
    case constants.errno.EPERM:
      return {
        reason: 'this user may not open it',
        remedy:
          'Join its group (`sudo usermod -aG kvm "$USER"`, then log in again), or, in a container, ' +
          'allow the device.',
      };
    default:
      return {
        reason: `opening it failed with ${errnoName(errno)}`,
        remedy: 'See `dmesg` for what the module says.',
      };
  }
}
