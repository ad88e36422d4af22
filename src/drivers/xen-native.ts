/** The native addon of the Xen driver (`native/xen`): its shape, and how it is found. */

import { loadAddon } from '../native-addon.js';
import type { XenGuestType } from './driver.js';
import type { Callback, NativeAddon, NativePlan, NativeSnapshot } from './native.js';

/** What a probe finds. */
export interface XenFacts {
  /** Frequency of the time-stamp counter as guests read it. */
  readonly tscHertz: number;
  /** As `xl info` says it: `4.17.5`. */
  readonly xenVersion: string;
  /** Whether the processor lets Xen make PVH domains: virtualisation with two-level paging. */
  readonly hasHvm: boolean;
}

export interface XenPlan extends NativePlan {
  readonly guestType: XenGuestType;
  /** What `xl list` calls its domains, before each domain's number. */
  readonly name: string;
  /** The ELF file, which PV domains are built from. */
  readonly file?: Uint8Array | undefined;
  /** How many empty domains are kept ready for it, at most, while it is open. */
  readonly emptyShells: number;
  /** The configuration items, which a PV image takes from its module. */
  readonly configuration: Uint8Array;
}

/** What ended processes had left, and is gone now. */
export interface Reaped {
  readonly domains: number;
  /** Domains of which nothing but names in xenstore was left. */
  readonly entries: number;
}

export interface XenAddon extends NativeAddon {
  /** Opens the hypervisor's devices and xenstore; throws a {@link NativeFailure}. */
  probe(): XenFacts;
  load(plan: XenPlan): NativeSnapshot;
  /** Destroys what Hatchery processes have left that ended without doing so themselves. */
  reapOrphans(callback: Callback<Reaped>): void;
}

/** @throws HatcheryError ADDON_MISSING */
export function loadXenAddon(name = 'hatchery_xen'): XenAddon {
  return loadAddon(name) as XenAddon;
}
