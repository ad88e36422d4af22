/** What an instance does when no jobs are left: the C side calls it until all is done. */

import { deliver, hasCalls } from './calls.js';
import { host } from './host.js';
import { endNesting, nextTimer, runTimer } from './timers.js';

let beforeTurn: (() => void) | undefined;

/** Registers what is to be done when the jobs that are there now have run, or takes it back. */
export function onceBeforeTurn(run: (() => void) | undefined): void {
  beforeTurn = run;
}

/**
 * Runs the timer that is due, or waits for a timer or a host call and hands over what came. The jobs
 * that it leaves are to be run then. Returns false if there is nothing to wait for.
 */
export function turn(): boolean {
  const due = nextTimer();
  if (due === undefined && !hasCalls()) return false;
  const run = beforeTurn;
  beforeTurn = undefined;
  run?.();
  if (due !== undefined && runTimer(host.now())) return true;
  const call = host.wait(due ?? Number.POSITIVE_INFINITY);
  if (call !== 0) {
    endNesting();
    deliver(call);
  } else if (due !== undefined) {
    // By the guest's clock it may be a little early.
    runTimer(due);
  }
  return true;
}
