/** Why Xen cannot be used, as a typed error. */

import { constants } from 'node:os';
import { HatcheryError } from '../errors.js';
import { driverFailure, errnoName, isNativeFailure } from './native-failure.js';
import { findObstacle, hasHeaders } from './xen-host.js';

interface Why {
  readonly reason: string;
  readonly remedy: string;
}

/** The typed error for what `loadXenAddon` or `probe` threw. */
export function xenUnavailable(error: unknown): HatcheryError {
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    const { reason, remedy } = obstacle;
    return new HatcheryError('XEN_UNAVAILABLE', { reason, remedy }, { cause: error });
  }
  if (error instanceof HatcheryError && error.code === 'ADDON_MISSING') {
    return new HatcheryError('XEN_UNAVAILABLE', { ...whyNoAddon(error) }, { cause: error });
  }
  if (isNativeFailure(error)) {
    return new HatcheryError('XEN_UNAVAILABLE', { ...whyRefused(error) }, { cause: error });
  }
  return HatcheryError.from(driverFailure(error));
}

function whyNoAddon(error: HatcheryError): Why {
  const rebuild = '"npm run build:addon" in a checkout, or "npm rebuild hatchery"';
  if (!hasHeaders()) {
    return {
      reason: 'the addon hatchery_xen was not built, as the headers of Xen are not installed',
      remedy: `Install them ("sudo apt-get install libxen-dev"), then run ${rebuild}.`,
    };
  }
  const cause = error.cause instanceof Error ? error.cause.message.split('\n')[0] : undefined;
  return {
    reason: `the addon hatchery_xen cannot be loaded (${cause ?? error.message})`,
    remedy: `Build it for the Xen that is installed here: ${rebuild}.`,
  };
}

function whyRefused({ call, errno }: { readonly call: string; readonly errno: number }): Why {
  switch (errno) {
    case constants.errno.EACCES:
    case constants.errno.EPERM:
      return {
        reason: `${call} is for root only`,
        remedy: 'Run this as root: whoever controls Xen controls the machine.',
      };
    case constants.errno.ENOTSUP:
    case constants.errno.ENOSYS:
      return {
        reason: `${call} is not what hatchery_xen was built for`,
        remedy:
          'Build it against the headers of the Xen that runs ("xl info" names it): ' +
          '"npm run build:addon" in a checkout, or "npm rebuild hatchery".',
      };
    default:
      return {
        reason: `${call} failed with ${errnoName(errno)}`,
        remedy: 'See "xl dmesg" and the logs of xenstored for what they say.',
      };
  }
}

/** PVH needs what this processor, or the hypervisor's settings, do not give. */
export function noHvm(): HatcheryError {
  return new HatcheryError('XEN_UNAVAILABLE', {
    reason: 'PVH domains need hardware virtualisation, which Xen does not have here',
    remedy:
      'Switch VT-x or AMD-V on in the firmware settings, or use PV domains ("--xen-type pv"), ' +
      'which cannot be rewound.',
  });
}
