// What a lab gets in addition so that Node in Dom0 loads the addons that were built with sanitizers.
import path from 'node:path';
import { SANITIZED } from '../steps/addon.mjs';
import { at } from '../steps/root.mjs';
import { SANITIZER_OPTIONS, sanitizerLibraries } from '../steps/sanitizers.mjs';

/**
 * @returns {{include: string[], environment: Record<string, string>}} for `runInLab`. The environment is
 *   every program's that the command starts, so those of Xen's that our addons' calls run are looked at, too.
 */
export function sanitizedLab() {
  const libraries = sanitizerLibraries();
  const { ASAN_OPTIONS } = SANITIZER_OPTIONS;
  return {
    include: [at(SANITIZED), ...libraries],
    environment: {
      HATCHERY_ADDONS: `/tmp/${path.basename(SANITIZED)}`,
      LD_PRELOAD: libraries.map((file) => `/tmp/${path.basename(file)}`).join(' '),
      ...SANITIZER_OPTIONS,
      // Dom0 has little memory, and tests ask for too much.
      ASAN_OPTIONS: `${ASAN_OPTIONS}:quarantine_size_mb=32:allocator_may_return_null=1`,
    },
  };
}
