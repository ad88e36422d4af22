/** What one request used. */
export interface Usage {
  readonly cpuMicroseconds: number;
  readonly peakMemoryBytes: number;
  readonly dirtyMemoryBytes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly hostCalls: number;
}
