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
  /** Start-up or work behind a response is over: no jobs are left. */
  idle(): void;
}

/** Bits of the `flags` of a response: images/abi/hatchery.h. */
export const RESPONSE_BACKGROUND = 2;
export const RESPONSE_ERROR = 4;

/** RESPONSE_HEAD_CAPACITY of images/kernel/kernel.h: characters in a response's head. */
export const RESPONSE_HEAD_CAPACITY = 131_072;

/** enum hatchery_log_level of images/abi/hatchery.h. */
export const LOG_LEVEL = { debug: 20, info: 30, warn: 40, error: 50 } as const;

/** What can be sent as it is; undefined is an empty body. */
export type Bytes = string | Uint8Array | undefined;

export interface Host extends Hooks {
  /** The function's environment and limits (both JSON); set before `start`. */
  readonly env: string | undefined;
  readonly limits: string | undefined;

  /** The request's header rows: name, NUL, value, NUL and so on. Not to be asked for any more once
   * a body function was called. */
  headers(): string;
  /** The rest of the request's body: decoded, as bytes, or its next chunk (undefined: the end). */
  bodyText(): string;
  bodyBytes(): Uint8Array;
  bodyChunk(): Uint8Array | undefined;
  /** Sends the whole response. */
  respond(status: number, head: string, body: Bytes, flags: number): void;
  /** Sends a response by parts. */
  begin(status: number, head: string, body: Bytes, flags: number): void;
  push(bytes: Bytes): void;
  end(): void;
  log(level: number, text: string): void;
  fillRandom(bytes: Uint8Array): void;
  /** Milliseconds since the request was handed over, and when that was (since 1970). */
  now(): number;
  timeOrigin(): number;
}

const holder = globalThis as { host?: Host };
export const host = holder.host as Host;
delete holder.host;
