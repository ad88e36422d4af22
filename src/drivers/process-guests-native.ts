/** The native addon of the process driver (`native/process_guests`): its shape, and how it is found. */

import { fileURLToPath } from 'node:url';
import { loadAddon } from '../native-addon.js';
import type { NativeAddon, NativePlan, NativeSnapshot } from './native.js';

export interface ProcessGuestsAddon extends NativeAddon {
  /**
   * Starts the program that makes guests, which must happen before a process gives up starting
   * programs; throws a {@link NativeFailure}.
   */
  probe(
    spawner: string,
    launcher: string,
  ): {
    readonly tscHertz: number;
    /** Whether the kernel can let forks be granted one by one, which `clone` needs. */
    readonly grantsForks: boolean;
  };
  load(plan: NativePlan): NativeSnapshot;
  /** Whether the program lives that the last `probe` gave. */
  spawnerLives(): boolean;
  /** A descriptor, the caller's to close, whose file ends when that program does. */
  lifeline(): number;
}

/** Where `native/process_guests/programs/build.sh` leaves a program. */
const program = (name: string) => fileURLToPath(new URL(`../../process/${name}`, import.meta.url));

export const SPAWNER = program('hatchery-spawner');
export const LAUNCHER = program('hatchery-launcher');

/** What failed, in an addon's error: guests cannot be without the program that makes them. */
export const SPAWNER_CALL = 'the spawner';
/** The same; with ESRCH: what was to be forked has ended. */
export const MAKING = "making a guest's process";

/** @throws HatcheryError ADDON_MISSING */
export function loadProcessGuestsAddon(name = 'hatchery_process_guests'): ProcessGuestsAddon {
  return loadAddon(name) as ProcessGuestsAddon;
}
