// What a lab gets in addition so that Node in Dom0 loads the addons that were built with sanitizers.
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { SANITIZED } from '../steps/addon.mjs';
import { at } from '../steps/root.mjs';

const LIBRARIES = ['libasan.so', 'libubsan.so'];

/** The compiler's own of that name. */
const libraryOf = (name) =>
  realpathSync(execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim());

/**
 * @returns {{include: string[], environment: Record<string, string>}} for `runInLab`. The environment is
 *   every program's that the command starts, so those of Xen's that our addons' calls run are looked at, too.
 */
export function sanitizedLab() {
  const libraries = LIBRARIES.map(libraryOf);
  return {
    include: [at(SANITIZED), ...libraries],
    environment: {
      HATCHERY_ADDONS: `/tmp/${path.basename(SANITIZED)}`,
      LD_PRELOAD: libraries.map((file) => `/tmp/${path.basename(file)}`).join(' '),
      // Node itself leaks on exit, by intent. Dom0 has little memory, and tests ask for too much.
      ASAN_OPTIONS:
        'detect_leaks=0:abort_on_error=1:quarantine_size_mb=32:allocator_may_return_null=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
  };
}
