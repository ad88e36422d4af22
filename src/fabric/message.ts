/** A request on its way to a function, and what the function answers. */
import type { RequestFrame } from '../channel.js';
import type { Timeline } from '../timeline.js';

/** Bytes that come one chunk after the other. `return` ends them early. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** Methods that a `Request` may not have: tunnels, and echoes of what others sent (Fetch). */
export const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** A request for a function. `body` is what is there of its body. */
export interface FunctionRequest extends RequestFrame {
  /** Names it in logs and errors. */
  readonly id: string;
  /** What comes behind `body`, where there is more. It is read once, as the guest asks for it. */
  readonly rest?: ByteStream | undefined;
  /**
   * The fabric sets it while the answer is awaited. Whoever made the request calls it when nobody
   * waits for the answer any more (`request.onGone?.()`): then the instance is ended.
   */
  onGone?: (() => void) | undefined;
}

/** Whether a body is there already. */
export function isWhole(body: Buffer | ByteStream): body is Buffer {
  return Buffer.isBuffer(body);
}

/** What a function answered. */
export interface Reply {
  /** 200 to 599. */
  readonly status: number;
  /** Name and value in turn, names in lower case; valid by RFC 9110. */
  readonly headers: readonly string[];
  /**
   * The caller's. A stream gives chunks as the guest makes them: it has to be read to its end, or
   * ended by `return` (or `onGone`), which ends the instance. It throws a HatcheryError where the
   * body breaks off.
   */
  readonly body: Buffer | ByteStream;
  /**
   * Without the phase `reply`, which is the caller's to set. With a stream, `guest` goes on; the phase
   * `end` and what memory was used are there once the timeline is over.
   */
  readonly timeline: Timeline;
}
