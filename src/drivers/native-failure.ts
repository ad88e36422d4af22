/** Failures of the native addons as typed errors. */

import { constants } from 'node:os';
import { HatcheryError } from '../errors.js';
import type { NativeFailure } from './native.js';

export function isNativeFailure(error: unknown): error is NativeFailure {
  return error instanceof Error && 'call' in error && 'errno' in error;
}

/** `EPERM` for its number. */
export function errnoName(errno: number): string {
  for (const [name, number] of Object.entries(constants.errno)) {
    if (number === errno) {
      return name;
    }
  }
  return `errno ${errno}`;
}

/** The typed error for whatever an addon threw or passed to a callback. */
export function driverFailure(error: unknown): unknown {
  if (!isNativeFailure(error)) {
    return error;
  }
  const { call, errno } = error;
  if (call === 'machine') {
    const code = errno === constants.errno.EBUSY ? 'SHELL_BUSY' : 'SHELL_GONE';
    return new HatcheryError(code, {}, { cause: error });
  }
  return new HatcheryError('DRIVER_FAILED', { call, errno: errnoName(errno) }, { cause: error });
}
