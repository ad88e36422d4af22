import { reportError } from './errors.js';

/** What was handed to waitUntil and is not settled yet. */
let pending = 0;

export function hasBackgroundWork(): boolean {
  return pending > 0;
}

/** The handler's third argument. */
export class ExecutionContext {
  /** Keeps the instance after its response until the promise is settled, or a limit is hit. */
  waitUntil(promise: unknown): void {
    pending++;
    Promise.resolve(promise)
      .catch(reportError)
      .finally(() => {
        pending--;
      });
  }
}

/** Forgets work that can never end; returns how much it was. */
export function abandonBackgroundWork(): number {
  const abandoned = pending;
  pending = 0;
  return abandoned;
}
