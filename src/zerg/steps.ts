/** From the phases of a timeline to those of the demo; docs/zerg.md explains each. */
import type { ColdPhases, Phase } from '../timeline.js';
import type { Steps } from './view.js';

/** Phases that have ended. */
export type Ended = Partial<Record<Phase, number>>;

/**
 * Where a virtual machine was booted for the request, its first instruction (B) is the beginning of
 * the boot, and what fills the request window comes after it, so it counts for F. D and E are parts of
 * the boot that nobody measures apart.
 */
export function stepsOf(phases: Ended): Steps {
  const { accept = 0, queue, load = 0, create = 0, boot, spawn, guest, reply, end } = phases;
  const steps: Steps = {};
  if (queue !== undefined) {
    steps.A = accept + queue + load + create;
  }
  if (boot !== undefined) {
    steps.C = boot;
  } else if (spawn !== undefined) {
    steps.B = spawn;
  }
  if (guest !== undefined && reply !== undefined) {
    steps.F = (boot === undefined ? 0 : (spawn ?? 0)) + guest + reply;
  }
  if (end !== undefined) {
    steps.G = end;
  }
  return steps;
}

/** The same of a function's first start, of which nothing was waiting for a request. */
export function stepsOfStart({ load = 0, create = 0, boot }: ColdPhases): Steps {
  return boot === undefined ? {} : { A: load + create, C: boot };
}

/** A to F. */
export function totalOf({ A = 0, B = 0, C = 0, F }: Steps): number | undefined {
  return F === undefined ? undefined : A + B + C + F;
}
