/** Failures of the native addon as typed errors. */

import { constants } from 'node:os';
import { HatcheryError } from '../errors.js';
import type { NativeFailure } from './kvm-native.js';

function isNativeFailure(error: unknown): error is NativeFailure {
  return error instanceof Error && 'call' in error && 'errno' in error;
}

function errnoName(errno: number): string {
  for (const [name, number] of Object.entries(constants.errno)) {
    if (number === errno) {
      return name;
    }
  }
  return `errno ${errno}`;
}

/** The typed error for whatever the addon threw or passed to a callback. */
export function driverFailure(error: unknown): unknown {
  if (!isNativeFailure(error)) {
    return error;
  }
  const { call, errno } = error;
  if (call === 'machine') {
    const code = errno === constants.errno.EBUSY ? 'SHELL_BUSY' : 'SHELL_GONE';
    return new HatcheryError(code, {}, { cause: error });
  }
  if (call === 'open(/dev/kvm)') {
    return new HatcheryError('KVM_UNAVAILABLE', whyClosed(errno), { cause: error });
  }
  return new HatcheryError('DRIVER_FAILED', { call, errno: errnoName(errno) }, { cause: error });
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
