/** What a request used, where it was accounted. */

export interface Usage {
  readonly cpuMicroseconds: number;
  /** Known when its instance is gone, as the next one. */
  readonly peakMemoryBytes?: number;
  readonly dirtyMemoryBytes?: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly hostCalls: number;
}

/** @param facts of a request: of its answer, of its end, or an event. */
export function usageOf(facts: object): Usage | undefined {
  return (facts as { readonly usage?: Usage }).usage;
}
