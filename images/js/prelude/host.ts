/** The C side of this image, as host_functions.c and application.c define it. */

/** What the C code reads back from the host object, all set by main.ts. */
export interface Hooks {
  /** Called once with the module's default export; throws if it is no handler. */
  start(handler: unknown): void;
  /** Calls the handler; gives a promise unless the response is out already. */
  serve(method: string, url: string): Promise<unknown> | undefined;
  /** Sends what the handler's promise gave; gives a promise as `serve` does. */
  settle(value: unknown): Promise<unknown> | undefined;
  /** Sends an error report in place of a response. */
  fail(error: unknown): void;
  /** The error report: JSON of name, message and stack. */
  report(error: unknown): string;
  /** A promise was rejected and nothing handles it, or, later, something does. */
  rejection(promise: Promise<unknown>, reason: unknown, isHandled: boolean): void;
  /** No jobs are left: runs a timer, or waits and hands over what came; false if nothing can come. */
  turn(): boolean;
  /** The same behind the response, as long as there is work that is to be done. */
  linger(): boolean;
  /** Start-up or work behind a response is over: nothing is left. */
  idle(): void;
}

/** Bits of the `flags` of a response: images/abi/hatchery.h. */
export const RESPONSE_BACKGROUND = 2;
export const RESPONSE_ERROR = 4;
export const RESPONSE_STREAM = 8;

/** RESPONSE_HEAD_CAPACITY of images/kernel/kernel.h: characters in a response's head. */
export const RESPONSE_HEAD_CAPACITY = 131_072;

/** enum hatchery_log_level of images/abi/hatchery.h. */
export const LOG_LEVEL = { debug: 20, info: 30, warn: 40, error: 50 } as const;

/** What can be sent as it is; undefined is an empty body. */
export type Bytes = string | Uint8Array | undefined;

export interface Host extends Hooks {
  /** The function's environment, bindings and limits (each JSON); set before `start`. */
  readonly env: string | undefined;
  readonly bindings: string | undefined;
  readonly limits: string | undefined;

  /** The request's header rows: name, NUL, value, NUL and so on. */
  headers(): string;
  /** Whether there is more of the request's body than came with its head. */
  bodyHasMore(): boolean;
  /** What is unread of that first part: decoded, as bytes, or its next chunk (undefined: its end). */
  bodyText(): string;
  bodyBytes(): Uint8Array;
  bodyChunk(): Uint8Array | undefined;
  /** Sends the whole response. */
  respond(status: number, head: string, body: Bytes, flags: number): void;
  /** Sends a response by parts. */
  begin(status: number, head: string, body: Bytes, flags: number): void;
  push(bytes: Bytes): void;
  end(): void;
  /** Host calls (images/abi/hatchery.h); ids are the caller's choice. */
  startFetch(id: number, redirect: number, head: string, body: Bytes): void;
  startBinding(id: number, names: string, values: Uint8Array): void;
  /** @param fetch whose body; 0: the request's own */
  startRead(id: number, fetch: number): void;
  cancel(id: number, call: number): void;
  /**
   * Yields until a call is completed, and gives its id, or until that many milliseconds after the
   * request was handed over, and gives 0.
   */
  wait(until: number): number;
  /** What was completed: whether it failed, and, once, its payload. */
  completionFailed(): boolean;
  completionPayload(): Uint8Array;
  log(level: number, text: string): void;
  fillRandom(bytes: Uint8Array): void;
  /** Milliseconds since the request was handed over, and when that was (since 1970). */
  now(): number;
  timeOrigin(): number;
}

const holder = globalThis as { host?: Host };
export const host = holder.host as Host;
delete holder.host;
