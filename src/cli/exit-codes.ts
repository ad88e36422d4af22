/** What the exit code of `hatchery` says. `docs/cli.md` shows the same table; a test compares them. */
import type { ErrorCode } from '../errors.js';

export const EXIT_CODES = {
  ok: {
    code: 0,
    meaning: 'done; a server that was stopped by SIGINT or SIGTERM also ends with it',
  },
  failure: { code: 1, meaning: 'something in Hatchery or in the hypervisor failed' },
  usage: { code: 2, meaning: 'the command line, a file it names or a value in it is wrong' },
  machine: { code: 3, meaning: 'the machine or the installation lacks something' },
  function: { code: 4, meaning: 'the function cannot be deployed, or it failed to answer' },
  port: { code: 5, meaning: 'the port is in use' },
} as const;

export type Outcome = keyof typeof EXIT_CODES;

/** Errors that are not listed are a `failure`. */
const OUTCOMES: Partial<Record<ErrorCode, Outcome>> = {
  KVM_UNAVAILABLE: 'machine',
  PROCESS_UNAVAILABLE: 'machine',
  ADDON_MISSING: 'machine',
  LOCK_DOWN_FAILED: 'machine',
  DASHBOARD_MISSING: 'machine',
  IMAGE_MISSING: 'machine',
  IMAGE_INVALID: 'machine',
  BUILD_TOOLS_MISSING: 'machine',
  XEN_UNAVAILABLE: 'machine',
  UPLOADS_FULL: 'machine',
  CONFIGURATION_INVALID: 'usage',
  DOMAIN_MISSING: 'usage',
  DATA_UNUSABLE: 'usage',
  DATA_IN_USE: 'usage',
  INSTANCE_UNKNOWN: 'usage',
  INSTANCE_GONE: 'usage',
  HOST_TAKEN: 'usage',
  ROUTE_MISSING: 'usage',
  IMAGE_UNKNOWN: 'usage',
  IMAGE_IN_USE: 'usage',
  TOKEN_MISSING: 'usage',
  TOKEN_INVALID: 'usage',
  TOKEN_UNKNOWN: 'usage',
  SCOPE_MISSING: 'usage',
  VERSION_MISSING: 'usage',
  FUNCTION_MISSING: 'usage',
  INVALID_ARGUMENT: 'usage',
  REQUEST_BODY_TOO_LARGE: 'usage',
  REQUEST_HEAD_TOO_LARGE: 'usage',
  UPLOAD_TOO_LARGE: 'function',
  UPLOAD_INVALID: 'function',
  BUNDLE_FAILED: 'function',
  MODULE_INVALID: 'function',
  MODULE_UNSUPPORTED: 'function',
  BUILD_FAILED: 'function',
  STARTUP_FAILED: 'function',
  STARTUP_PENDING: 'function',
  STARTUP_TIMEOUT: 'function',
  FUNCTION_THREW: 'function',
  FUNCTION_CRASHED: 'function',
  FUNCTION_STALLED: 'function',
  RESPONSE_INVALID: 'function',
  DEADLINE_EXCEEDED: 'function',
  MEMORY_EXCEEDED: 'function',
  RESPONSE_BODY_TOO_LARGE: 'function',
  PORT_IN_USE: 'port',
};

/** The exit code for an error of the library, or of a server. */
export function exitCodeOf(error: string): number {
  return EXIT_CODES[OUTCOMES[error as ErrorCode] ?? 'failure'].code;
}
