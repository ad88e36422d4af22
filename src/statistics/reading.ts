/** The statistics of a server at one moment. */
import type { Pool } from '../fabric/deployment.js';
import type { Load } from '../fabric/places.js';
import type { Counts } from './counts.js';
import type { FunctionCounts } from './totals.js';

export interface FunctionReading extends FunctionCounts {
  readonly pool: Pool;
}

export interface ProcessReading {
  /** The same for a process and for those that replace it. */
  readonly label: string;
  readonly processId: number;
  readonly residentBytes: number;
}

export interface Reading {
  /** Milliseconds since 1970, as `startedAt`. */
  readonly at: number;
  /** Since when is counted. */
  readonly startedAt: number;
  readonly all: Counts;
  /** Of requests to no function. */
  readonly nameless: Counts;
  /** Of functions that metrics do not name. */
  readonly others: Counts;
  readonly functions: readonly FunctionReading[];
  readonly load: Load;
  /** Those that serve. */
  readonly processes: readonly ProcessReading[];
  /** How many processes died and were replaced. */
  readonly restarts: number;
}
