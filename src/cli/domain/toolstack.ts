/** Opens libxl for a command, and finds the domain that an argument names. */
import { findObstacle } from '../../drivers/xen-host.js';
import { HatcheryError } from '../../errors.js';
import type { Libxl } from '../../xen/libxl.js';

const LIBXL_ADDON = 'hatchery_libxl';
const LONG_MILLISECONDS = 60_000;

/**
 * Runs `work` with libxl, and closes it.
 * @throws HatcheryError XEN_UNAVAILABLE, ADDON_MISSING, and what `work` throws
 */
export async function withLibxl<T>(work: (libxl: Libxl) => Promise<T>): Promise<T> {
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    const { reason, remedy } = obstacle;
    throw new HatcheryError('XEN_UNAVAILABLE', { reason, remedy });
  }
  const { Libxl } = await import('../../xen/libxl.js');
  const libxl = await Libxl.open().catch((error) => {
    throw explained(error);
  });
  // Events of libxl do not keep Node alive, and a command may wait for nothing else.
  const alive = setInterval(() => {}, LONG_MILLISECONDS);
  try {
    return await work(libxl);
  } finally {
    clearInterval(alive);
    await libxl.close();
  }
}

/** The addon is built where Xen's headers are, and only there. */
function explained(error: unknown): unknown {
  if (error instanceof HatcheryError && error.details.name === LIBXL_ADDON) {
    return new HatcheryError(
      'XEN_UNAVAILABLE',
      {
        reason: `the addon ${LIBXL_ADDON} is not there`,
        remedy:
          "It is built where Xen's headers are: apt-get install libxen-dev, then npm run build:addon.",
      },
      { cause: error },
    );
  }
  return error;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The number of a domain.
 * @param argument its number, name or UUID
 * @throws HatcheryError DOMAIN_MISSING
 */
export async function findDomain(libxl: Libxl, argument: string): Promise<number> {
  const domid = await lookUp(libxl, argument);
  if (domid === undefined) {
    throw new HatcheryError('DOMAIN_MISSING', { domain: argument });
  }
  return domid;
}

async function lookUp(libxl: Libxl, argument: string): Promise<number | undefined> {
  if (/^\d+$/.test(argument)) {
    const all = await libxl.listDomains();
    return all.find(({ domid }) => domid === Number(argument))?.domid;
  }
  if (UUID.test(argument)) {
    const all = await libxl.listDomains();
    return all.find(({ uuid }) => uuid.toLowerCase() === argument.toLowerCase())?.domid;
  }
  return libxl.findDomain(argument);
}
