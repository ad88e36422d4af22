/** The native addon of the KVM driver (`native/kvm`): its shape, and how it is found. */

import { loadAddon } from '../native-addon.js';
import type { NativeAddon, NativePlan, NativeSnapshot } from './native.js';

export interface KvmAddon extends NativeAddon {
  /** Opens /dev/kvm and tries a machine; throws a {@link NativeFailure}. */
  probe(): {
    readonly tscHertz: number;
    readonly reportsXsave: boolean;
    /** Whether what was written in large pages can be found, so that guests get such. */
    readonly hasLargePages: boolean;
  };
  load(plan: NativePlan): NativeSnapshot;
}

/** @throws HatcheryError ADDON_MISSING */
export function loadKvmAddon(name = 'hatchery_kvm'): KvmAddon {
  return loadAddon(name) as KvmAddon;
}
