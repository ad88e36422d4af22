/**
 * What one request took of the machine. docs/usage.md says how each figure is found out with each
 * strategy.
 */
export interface Usage {
  /**
   * Processor time of the guest in this request, in microseconds; what its start-up took is not in it.
   * Of a run of up to a millisecond it is the time from its start to its end, of a longer one what the
   * kernel, or Xen, counted.
   */
  readonly cpuMicroseconds: number;
  /**
   * The memory that the instance had in use at the end of the request, in bytes: whole pages, of what
   * it started from those that are not all zero, and those that it wrote. Never more than the limit
   * `memoryBytes`.
   */
  readonly peakMemoryBytes: number;
  /** Those pages of it that the instance wrote, in bytes. */
  readonly dirtyMemoryBytes: number;
  /** Bytes of the request's body that the instance was given, or could have had at once. */
  readonly bytesIn: number;
  /** Bytes of the response's body that came out of the instance; of an error that it reports, 0. */
  readonly bytesOut: number;
  /** Fetches and calls of bindings that it began. */
  readonly hostCalls: number;
}
