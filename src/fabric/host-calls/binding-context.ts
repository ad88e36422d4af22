/** For whom a host's bound function is called. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** What a bound function may ask for, see {@link bindingContext}. */
export interface BindingContext {
  /** The function that calls. */
  readonly function: string;
  /** Names the request that its instance serves. */
  readonly requestId: string;
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

const storage = new AsyncLocalStorage<BindingContext>();

/** Inside a bound function, and in what it awaits: the call. Elsewhere `undefined`. */
export function bindingContext(): BindingContext | undefined {
  return storage.getStore();
}

/** Runs `bound` such that it finds `context`. */
export function runBound<T>(context: BindingContext, bound: () => T): T {
  return storage.run(context, bound);
}
