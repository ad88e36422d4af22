/** What a program gets to see when a host call fails. */

import { CallFailure } from './calls.js';
import { errorClass } from './error-classes.js';

/** The code of a call that took too long, and the name that the platform has for that. */
const TIMEOUT_CODE = 'HOST_CALL_TIMEOUT';
const TIMEOUT_NAME = 'TimeoutError';

function define(error: Error, name: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, name, { value, enumerable, writable: true, configurable: true });
}

function withCode(error: Error, code: string | undefined): Error {
  if (code !== undefined) define(error, 'code', code, true);
  return error;
}

/** The error that the host reported: of the class that has its name, else an Error so called. */
export function hostError(reason: unknown): unknown {
  if (!(reason instanceof CallFailure)) return reason;
  const { message, code } = reason;
  const name = code === TIMEOUT_CODE ? TIMEOUT_NAME : reason.name;
  const Class = errorClass(name);
  const error = new (Class ?? Error)(message);
  if (Class === undefined) define(error, 'name', name);
  return withCode(error, code);
}

/** The Fetch standard's network error: a TypeError, here with the host's error as its cause. */
export function networkError(reason: unknown): unknown {
  if (!(reason instanceof CallFailure)) return reason;
  const error = new TypeError(reason.message, { cause: hostError(reason) });
  return withCode(error, reason.code);
}
