/** One kind of host call, as the rest of the fabric sees it. */
import type { ByteStream } from '../message.js';

/** Of whom and for how long. */
export interface CallContext {
  /** Aborted when the guest cancels the call, when its instance ends, or when its time is over. */
  readonly signal: AbortSignal;
  /** Names the request that the instance serves. */
  readonly requestId: string;
  /** The header of that request, which goes on to whoever is asked on its behalf. */
  readonly traceparent: string | undefined;
  /** The same of `tracestate`. */
  readonly tracestate: string | undefined;
}

export interface CallResult {
  /** For the completion. */
  readonly payload: Uint8Array;
  /** What the guest may READ afterwards; `return` is called where it does not read to the end. */
  readonly body?: ByteStream | undefined;
}

/** Serves the calls of one function's instances; belongs to one version of it. */
export interface CallHandler {
  /**
   * @param payload the handler's own; as a hostile guest wrote it, of at most the function's
   *   `maxHostCallBytes`.
   * @throws HatcheryError whose code and message the guest gets, or any other error, of which it gets
   *   name, message and `code` (where that is a string), but not the stack.
   */
  call(payload: Uint8Array, context: CallContext): Promise<CallResult>;
  /** Once the last instance has ended. */
  close(): Promise<void>;
}
