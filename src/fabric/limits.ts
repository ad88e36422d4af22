/** What an instance may use. Hitting a limit gives a typed error and never touches another request. */
export interface Limits {
  /** From the moment an instance gets the request until all is done, `ctx.waitUntil` included. */
  readonly wallMilliseconds: number;
  /** Processor time of a request: what its guest computes; waiting costs nothing. */
  readonly cpuMilliseconds: number;
  /** The start-up code of the function: everything at the top level of its modules. */
  readonly startupMilliseconds: number;
  /** All memory of an instance; a multiple of 4096. */
  readonly memoryBytes: number;
  /** The method, the URL and the headers. */
  readonly maxRequestHeadBytes: number;
  readonly maxRequestBodyBytes: number;
  readonly maxResponseHeadBytes: number;
  readonly maxResponseBodyBytes: number;
  /** Header lines of a request; the same of a response. */
  readonly maxHeaders: number;
  /** Outbound fetches and calls of bindings, of one request. */
  readonly maxHostCalls: number;
  /** How many of them may be in flight at a time. */
  readonly maxHostCallsInFlight: number;
  /** What one host call may carry: a fetch's head and body, a binding's arguments, its result. */
  readonly maxHostCallBytes: number;
  /** How long one host call may take. */
  readonly hostCallMilliseconds: number;
  /** Log text of one request, or of one start. */
  readonly maxLogBytes: number;
}

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

export const DEFAULT_LIMITS: Limits = {
  wallMilliseconds: 10_000,
  cpuMilliseconds: 5_000,
  startupMilliseconds: 1_000,
  memoryBytes: 64 * MEBIBYTE,
  maxRequestHeadBytes: 16 * KIBIBYTE,
  maxRequestBodyBytes: 4 * MEBIBYTE,
  maxResponseHeadBytes: 64 * KIBIBYTE,
  maxResponseBodyBytes: 4 * MEBIBYTE,
  maxHeaders: 128,
  maxHostCalls: 1_000,
  maxHostCallsInFlight: 64,
  maxHostCallBytes: MEBIBYTE,
  hostCallMilliseconds: 5_000,
  maxLogBytes: 256 * KIBIBYTE,
};

/** Longest time that may be asked for: a day. */
export const MAX_MILLISECONDS = 86_400_000;
/** Most that a head may be allowed: it has to fit into the window, with room for its frame. */
export const MAX_HEAD_BYTES = 128 * KIBIBYTE;
/** Most headers or host calls that may be asked for. */
export const MAX_COUNT = 1_000_000;
/** What `memoryBytes` may be. */
export const MEMORY_BYTES = { min: 16 * MEBIBYTE, max: 4096 * MEBIBYTE, step: 4096 } as const;
