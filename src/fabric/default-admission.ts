/** How many instances a machine is fit for. */
import { availableParallelism, totalmem } from 'node:os';
import { DEFAULT_LIMITS } from './limits.js';
import type { Admission } from './places.js';

/** Instances that wait for a host call need no processor, so there are more of them than processors. */
const CONCURRENCY_PER_CPU = 64;
const LEAST_CONCURRENCY_PER_CPU = 4;
/** All instances together may take this part of the memory, if each takes all that it may. */
const MEMORY_PART = 2;
const QUEUE_LENGTH = 1024;
const QUEUE_MILLISECONDS = 2_000;
const INSTANCES = 4096;

/** The memory that this process may use, in bytes: the machine's, or less in a control group. */
function usableMemory(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Of the whole machine: worker processes divide it. */
export function defaultAdmission(): Admission {
  const processors = availableParallelism();
  const inMemory = Math.floor(usableMemory() / MEMORY_PART / DEFAULT_LIMITS.memoryBytes);
  const concurrency = Math.max(
    LEAST_CONCURRENCY_PER_CPU * processors,
    Math.min(CONCURRENCY_PER_CPU * processors, inMemory),
  );
  return {
    concurrency,
    queue: QUEUE_LENGTH,
    queueMilliseconds: QUEUE_MILLISECONDS,
    instances: INSTANCES,
  };
}
