import { reportError } from './errors.js';

/** What was handed to waitUntil and is not settled yet. */
const pending = new Set<Promise<unknown>>();

export function hasBackgroundWork(): boolean {
  return pending.size > 0;
}

/** The handler's third argument. */
export class ExecutionContext {
  /** Keeps the instance after its response until the promise is settled, or a limit is hit. */
  waitUntil(promise: unknown): void {
    const work = Promise.resolve(promise).catch(reportError);
    pending.add(work);
    work.finally(() => pending.delete(work));
  }
}

/** Forgets work that can never end; returns how much it was. */
export function abandonBackgroundWork(): number {
  const abandoned = pending.size;
  pending.clear();
  return abandoned;
}
