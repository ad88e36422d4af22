import { onListenerError } from './event.js';
import { host, LOG_LEVEL } from './host.js';

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly stack?: unknown;
}

/** Leaves out the frames of this prelude, which say nothing about the user's code. */
function withoutPrelude(stack: string): string {
  return stack.replace(/^.*\(hatchery:prelude:\d+:\d+\)\n?/gm, '');
}

/** JSON of an error's name, message and stack, whatever was thrown; never throws itself. */
export function errorReport(error: unknown): string {
  let name = 'Error';
  let message: string;
  let stack = '';
  try {
    const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function';
    const like = (isObject ? error : {}) as ErrorLike;
    message = String(isObject && 'message' in like ? like.message : error);
    if (typeof like.name === 'string') name = like.name;
    if (typeof like.stack === 'string') stack = withoutPrelude(like.stack);
  } catch {
    message = 'a value was thrown that cannot be turned into text';
  }
  return JSON.stringify({ name, message, stack });
}

/** The error as a console shows it: one line, then the stack. */
export function errorText(error: unknown): string {
  const { name, message, stack } = JSON.parse(errorReport(error));
  const line = error instanceof Error ? `${name}: ${message}` : message;
  return stack === '' ? line : `${line}\n${stack.trimEnd()}`;
}

/** WinterTC's reportError: what nobody can catch goes to the log. */
export function reportError(error: unknown): void {
  host.log(LOG_LEVEL.error, `Uncaught ${errorText(error)}`);
}

onListenerError(reportError);

const unhandled = new Map<Promise<unknown>, unknown>();

/** Keeps account of the rejected promises that nothing handles. */
export function trackRejection(
  promise: Promise<unknown>,
  reason: unknown,
  isHandled: boolean,
): void {
  if (isHandled) unhandled.delete(promise);
  else unhandled.set(promise, reason);
}

/** For an error that the host is told of in another way. */
export function forgetRejection(error: unknown): void {
  for (const [promise, reason] of unhandled) if (reason === error) unhandled.delete(promise);
}

export function hasRejections(): boolean {
  return unhandled.size > 0;
}

/** Logs them, once it is clear that nothing will. */
export function reportRejections(): void {
  for (const reason of unhandled.values()) {
    host.log(LOG_LEVEL.error, `Uncaught (in promise) ${errorText(reason)}`);
  }
  unhandled.clear();
}
