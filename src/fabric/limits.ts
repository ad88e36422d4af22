/** What an instance may use. Hitting a limit gives a typed error and never touches another request. */
export interface Limits {
  /** From the moment an instance gets the request until all is done, `ctx.waitUntil` included. */
  readonly wallMilliseconds: number;
  /** The start-up code of the function: everything at the top level of its modules. */
  readonly startupMilliseconds: number;
  /** All memory of an instance; a multiple of 4096. */
  readonly memoryBytes: number;
  readonly maxRequestBodyBytes: number;
  readonly maxResponseBodyBytes: number;
}

const MEBIBYTE = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = {
  wallMilliseconds: 10_000,
  startupMilliseconds: 1_000,
  memoryBytes: 64 * MEBIBYTE,
  maxRequestBodyBytes: 4 * MEBIBYTE,
  maxResponseBodyBytes: 4 * MEBIBYTE,
};

/** What `memoryBytes` may be. */
export const MEMORY_BYTES = { min: 16 * MEBIBYTE, max: 4096 * MEBIBYTE, step: 4096 } as const;

/** Bytes of log text that one request (or one start) may write; the rest is dropped with a word. */
export const LOG_BYTES = 256 * 1024;
