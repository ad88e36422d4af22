/** What a supervisor wants of an instance, and what it gets. */
import type { Strategy } from '../drivers/driver.js';
import type { PreparedFunction } from '../fabric/prepared.js';
import type { ColdPhases } from '../timeline.js';
import type { Usage } from '../usage.js';

/** An instance that lives until it is killed. */
export interface SpawnOrder {
  /** Chosen by whoever orders it; must be new. */
  readonly id: string;
  /** The name of a deployed function, or one of the instance's own, which ends with it. */
  readonly of: string | PreparedFunction;
}

export interface SpawnedBy {
  readonly strategy: Strategy;
  /** What making it took, in milliseconds. */
  readonly coldStart: ColdPhases;
}

/** Bodies are held whole, in each process that they pass through. */
export interface InstanceRequest {
  /** Under which it is logged and found, wherever it goes; must be new. */
  readonly requestId: string;
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  /** Base 64. */
  readonly body: string;
}

export interface InstanceReply {
  readonly requestId: string;
  readonly status: number;
  /** Name and value in turn. */
  readonly headers: readonly string[];
  /** Base 64. */
  readonly body: string;
  /** Phases in milliseconds. */
  readonly timeline: Readonly<Record<string, number>>;
  /** All of it, unless the instance goes on in the background. */
  readonly usage?: Usage | undefined;
}

/** Bytes of a body that an instance's answer may have. */
export const MAX_REPLY_BYTES = 8 * 1024 * 1024;
