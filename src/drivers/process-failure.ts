/** Why guests cannot run in processes, as a typed error. */

import { constants } from 'node:os';
import { HatcheryError } from '../errors.js';
import { driverFailure, errnoName, isNativeFailure } from './native-failure.js';
import { MAKING, SPAWNER_CALL } from './process-guests-native.js';

/** The typed error for what a guest's addon object threw or passed to a callback. */
export function guestFailure(error: unknown): unknown {
  if (isNativeFailure(error)) {
    const { call, errno } = error;
    if (call === SPAWNER_CALL) {
      return new HatcheryError('SPAWNER_DIED', {}, { cause: error });
    }
    if (call === MAKING && errno === constants.errno.ESRCH) {
      return new HatcheryError('SNAPSHOT_LOST', {}, { cause: error });
    }
  }
  return driverFailure(error);
}

/** The typed error for what loading the addon, `probe` or `load` threw. */
export function processUnavailable(error: unknown): unknown {
  if (error instanceof HatcheryError && error.code === 'ADDON_MISSING') {
    return new HatcheryError(
      'PROCESS_UNAVAILABLE',
      {
        reason: 'the addon hatchery_process_guests was not built',
        remedy: 'Run "npm run build:addon" in a checkout, or "npm rebuild hatchery".',
      },
      { cause: error },
    );
  }
  if (isNativeFailure(error) && STARTING.has(error.call)) {
    const { call, errno } = error;
    return new HatcheryError('PROCESS_UNAVAILABLE', { ...why(call, errno) }, { cause: error });
  }
  return guestFailure(error);
}

/** Calls of `probe`. */
const STARTING = new Set(['seccomp', 'posix_spawn(spawner)', 'start of the spawner']);

function why(call: string, errno: number): { reason: string; remedy: string } {
  if (call === 'seccomp') {
    return {
      reason: 'the kernel cannot filter system calls',
      remedy: 'Use Linux 5.14 or later with CONFIG_SECCOMP_FILTER.',
    };
  }
  if (errno === constants.errno.ENOENT) {
    return {
      reason: 'the program hatchery-spawner is not there',
      remedy: 'Run "npm run build" in a checkout; a package brings it: install it again.',
    };
  }
  return {
    reason: `${call} failed with ${errnoName(errno)}`,
    remedy: 'Allow this user to start programs.',
  };
}
