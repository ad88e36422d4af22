// What makes a process of Node load addons that were built with sanitizers, here and in the lab.
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/** The compiler's run-time libraries, for LD_PRELOAD; absolute paths. */
export function sanitizerLibraries() {
  return ['libasan.so', 'libubsan.so'].map((name) =>
    realpathSync(execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim()),
  );
}

export const SANITIZER_OPTIONS = {
  // Node itself leaks on exit, by intent.
  ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
  UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
};
