/** What bundling one upload may take. */
export const BUNDLER_LIMITS = {
  /** From its start until its end. */
  wallMilliseconds: 20_000,
  /** Processor time of each of its two processes. */
  cpuSeconds: 20,
  /** Memory that each of them may write to. */
  dataBytes: 1024 * 1024 * 1024,
  openFiles: 256,
  /** What it may answer: a module and a source map. */
  outputBytes: 64 * 1024 * 1024,
  /** How many run at the same time; more wait. */
  atOnce: 2,
  /** How many may wait. */
  waiting: 32,
} as const;
