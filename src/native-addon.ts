/** Finds the native addons. */
import { createRequire } from 'node:module';
import { HatcheryError } from './errors.js';

const require = createRequire(import.meta.url);

/**
 * Loads an addon from `build/`, or from the folder that HATCHERY_ADDONS names (the sanitizer build and
 * the tests' build are there).
 * @throws HatcheryError ADDON_MISSING
 */
export function loadAddon(name: string): unknown {
  const folder = process.env.HATCHERY_ADDONS;
  const path = folder === undefined ? `../../build/Release/${name}.node` : `${folder}/${name}.node`;
  try {
    return require(path);
  } catch (cause) {
    throw new HatcheryError('ADDON_MISSING', { name }, { cause });
  }
}
