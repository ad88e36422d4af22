/**
 * Every error that Hatchery reports: its code, the HTTP status that it gives, and a message that
 * says what to do. `{name}` in a message is replaced by the detail of that name.
 */

interface ErrorKind {
  readonly status: number;
  readonly message: string;
  /** Details that a client may see; the others are for the log and the library's caller. */
  readonly exposes?: readonly string[];
}

export const ERRORS = {
  // The machine and the installation.
  KVM_UNAVAILABLE: {
    status: 503,
    message: '/dev/kvm cannot be used: {reason}. {remedy}',
  },
  PROCESS_UNAVAILABLE: {
    status: 503,
    message: 'Guests cannot run in processes: {reason}. {remedy}',
  },
  SPAWNER_DIED: {
    status: 502,
    message:
      'The program that makes guests ended (hatchery-spawner), and this one with it. Send the request ' +
      'again: another is started.',
  },
  SNAPSHOT_LOST: {
    status: 502,
    message:
      'The process that instances are forked from ended. Send the request again: there is another.',
  },
  XEN_UNAVAILABLE: {
    status: 503,
    message: 'Xen cannot be used: {reason}. {remedy}',
  },
  LIBXL_FAILED: {
    status: 500,
    message:
      'libxl could not do {operation} ({libxl}): {said}. If that does not say what to change, see ' +
      '`hatchery doctor` and /var/log/xen.',
  },
  EVENTS_LOST: {
    status: 410,
    message: 'Events after number {after} are not kept any more. List the domains and start again.',
  },
  CONSOLE_UNAVAILABLE: {
    status: 503,
    message: 'The console cannot be opened: {reason}. Check that xenconsoled runs.',
  },
  ADDON_MISSING: {
    status: 503,
    message: 'The native addon {name} cannot be loaded. Run `npm run build:addon`.',
  },
  LOCK_DOWN_FAILED: {
    status: 503,
    message:
      'A worker process cannot give up its rights: {call}. Run `hatchery doctor`; --workers 0 serves ' +
      'from one process, without the wall of a worker.',
  },
  IMAGE_MISSING: {
    status: 503,
    message: 'There is no image {image}. Run `npm run build:images`, or check the path.',
  },
  IMAGE_UNKNOWN: {
    status: 404,
    message: 'No image {image} is stored. `hatchery image ls` lists those there are.',
    exposes: ['image'],
  },
  IMAGE_IN_USE: {
    status: 409,
    message:
      'The image {image} is needed by {functions}, of the server with the data in {data}. Remove those ' +
      'functions first (versions that are kept for a rollback count), or give --force.',
  },
  UPLOAD_INVALID: {
    status: 422,
    message: 'What was sent as {digest} is refused: {reason}.',
    exposes: ['digest', 'reason'],
  },
  UPLOAD_TOO_LARGE: {
    status: 413,
    message:
      'An image may have {limit} bytes here. Make it smaller, or start the server with a larger ' +
      '--max-image.',
    exposes: ['limit'],
  },
  UPLOADS_FULL: {
    status: 507,
    message:
      'There is no room for it: {reason}. Remove functions whose images nobody needs, or start the ' +
      'server with a larger --max-images.',
    exposes: ['reason'],
  },
  BLOBS_MISSING: {
    status: 409,
    message: 'The manifest names blobs that are not here in that size: {digests}. Send them first.',
    exposes: ['digests'],
  },
  DASHBOARD_MISSING: {
    status: 503,
    message: 'The dashboard has not been built. Run `npm run build`.',
  },
  IMAGE_INVALID: {
    status: 500,
    message: 'The image {image} cannot be used: {reason}. Build it again.',
  },
  MODULE_INVALID: {
    status: 422,
    message: '{module} is not a valid WebAssembly module: {reason}.',
    exposes: ['reason'],
  },
  MODULE_UNSUPPORTED: {
    status: 422,
    message: '{module} cannot become an image: {reason}.',
    exposes: ['reason'],
  },
  BUILD_FAILED: {
    status: 422,
    message: '{source} cannot be built: {problem}',
    exposes: ['problem'],
  },
  BUILD_TOOLS_MISSING: {
    status: 503,
    message: 'Images cannot be built here: {reason}. {remedy}',
  },
  DRIVER_FAILED: {
    status: 500,
    message: 'The hypervisor refused {call} ({errno}). Run `hatchery doctor`.',
  },
  SHELL_GONE: {
    status: 500,
    message: 'This virtual machine was destroyed. Make another one.',
  },
  SHELL_BUSY: {
    status: 500,
    message: 'This virtual machine still runs. Wait until its last run has ended.',
  },

  // Deploying a function.
  CONFIGURATION_INVALID: {
    status: 400,
    message: '{path}: {problem}.',
    exposes: ['path', 'problem'],
  },
  DOMAIN_MISSING: {
    status: 404,
    message: 'There is no domain {domain}. `hatchery domain ls` lists those that there are.',
    exposes: ['domain'],
  },
  DOMAIN_TIMEOUT: {
    status: 504,
    message:
      'The domain {domain} did not shut down within {limit} s. Wait longer with --timeout, or end it ' +
      'with `hatchery domain destroy`.',
    exposes: ['domain', 'limit'],
  },
  INVALID_ARGUMENT: {
    status: 400,
    message: '{problem}.',
    exposes: ['problem'],
  },
  BUNDLE_FAILED: {
    status: 422,
    message: 'The function {function} cannot be bundled: {problem}',
    exposes: ['problem'],
  },
  STARTUP_FAILED: {
    status: 422,
    message: 'The start-up code of {function} failed: {trace}',
    exposes: ['trace'],
  },
  STARTUP_PENDING: {
    status: 422,
    message:
      'The start-up code of {function} awaits something that never comes: {trace}. ' +
      'Nothing outside the guest can be awaited at the top level of a module.',
    exposes: ['trace'],
  },
  STARTUP_TIMEOUT: {
    status: 422,
    message:
      'The start-up code of {function} ran for longer than {limit} ms. Do less at the top level ' +
      'of the module, or raise limits.startupMilliseconds. It was at: {trace}',
    exposes: ['limit', 'trace'],
  },

  // What a server keeps.
  DATA_UNUSABLE: {
    status: 500,
    message: '{path} cannot be used: {reason}.',
  },
  DATA_IN_USE: {
    status: 500,
    message:
      'Another server uses the data folder {path}. Stop it, or give this one a folder of its own with ' +
      '--data.',
  },
  HOST_TAKEN: {
    status: 409,
    message: 'The host name {host} is bound to the function {function}. Take it off there first.',
    exposes: ['host', 'function'],
  },
  ROUTE_MISSING: {
    status: 404,
    message: 'Nothing is at {path}.',
    exposes: ['path'],
  },
  VIEW_UNKNOWN: {
    status: 404,
    message: 'There is no such view of the page, or others came since. Load the page again.',
  },
  VERSION_MISSING: {
    status: 404,
    message: 'The function {function} has no version {version} any more. Ask which ones there are.',
    exposes: ['function', 'version'],
  },

  // Access to the control API.
  TOKEN_MISSING: {
    status: 401,
    message:
      'This needs a token: send it as `Authorization: Bearer TOKEN`. The first one is in the file ' +
      '`token` of the data folder.',
  },
  TOKEN_INVALID: {
    status: 401,
    message:
      'The token is malformed, unknown or expired. `hatchery token ls` lists those there are.',
  },
  SCOPE_MISSING: {
    status: 403,
    message: 'The token has not got the scope {scope}. Use one that has.',
    exposes: ['scope'],
  },
  RATE_LIMITED: {
    status: 429,
    message: 'Too many requests. Try again in {retryAfter} s.',
    exposes: ['retryAfter'],
  },
  TOKEN_UNKNOWN: {
    status: 404,
    message: 'There is no token {id}. `hatchery token ls` lists those there are.',
    exposes: ['id'],
  },
  LINK_INVALID: {
    status: 401,
    message: 'The link was followed already, or has expired. Ask for another one.',
  },

  HOST_REFUSED: {
    status: 421,
    message:
      'The control API is not served as {host}. Use the address that it listens on, or allow the name ' +
      'with --control-host.',
    exposes: ['host'],
  },
  ORIGIN_REFUSED: {
    status: 403,
    message: 'Pages of {origin} may not use the control API.',
    exposes: ['origin'],
  },
  CONTENT_TYPE_UNSUPPORTED: {
    status: 415,
    message:
      'The body of the request must be JSON, with the content type application/json; that of a blob ' +
      'application/octet-stream.',
  },

  // Serving a request.
  FUNCTION_MISSING: {
    status: 404,
    message: 'No function is called {function}. Deploy it first.',
    exposes: ['function'],
  },
  FUNCTION_THREW: {
    status: 500,
    message: 'The function threw an exception. Its trace is in the log.',
  },
  FUNCTION_CRASHED: {
    status: 502,
    message: 'The function crashed ({reason}). Where it did is in the log.',
  },
  FUNCTION_STALLED: {
    status: 502,
    message:
      'The function awaits something that never comes. Check for a promise that nothing resolves.',
  },
  RESPONSE_INVALID: {
    status: 502,
    message: 'The function sent a malformed response: {reason}.',
    exposes: ['reason'],
  },
  DEADLINE_EXCEEDED: {
    status: 504,
    message:
      'The function did not answer within {limit} ms. Make it faster, or raise ' +
      'limits.wallMilliseconds.',
    exposes: ['limit'],
  },
  CPU_EXCEEDED: {
    status: 504,
    message:
      'The function used more than {limit} ms of processor time. Make it do less, or raise ' +
      'limits.cpuMilliseconds.',
    exposes: ['limit'],
  },
  MEMORY_EXCEEDED: {
    status: 502,
    message:
      'The function needs more memory than its {limit} bytes. Use less, or raise ' +
      'limits.memoryBytes.',
    exposes: ['limit'],
  },
  REQUEST_BODY_TOO_LARGE: {
    status: 413,
    message: 'The body of the request is larger than {limit} bytes. Send less.',
    exposes: ['limit'],
  },
  REQUEST_HEAD_TOO_LARGE: {
    status: 431,
    message: 'The head of the request exceeds {limit} {unit}. Send less.',
    exposes: ['limit', 'unit'],
  },
  REQUEST_TIMEOUT: {
    status: 408,
    message: 'The request did not come whole in time. Send it faster.',
  },
  RESPONSE_HEAD_TOO_LARGE: {
    status: 502,
    message:
      'The head of the response exceeds {limit} {unit}. Answer with fewer or smaller headers, or ' +
      'raise limits.{name}.',
    exposes: ['limit', 'unit'],
  },
  RESPONSE_BODY_TOO_LARGE: {
    status: 502,
    message:
      'The body of the response is larger than {limit} bytes. Answer with less, or raise ' +
      'limits.maxResponseBodyBytes.',
    exposes: ['limit'],
  },
  HOST_CALLS_EXCEEDED: {
    status: 502,
    message:
      'The function made more than {limit} host calls {how}. Make fewer, or raise limits.{name}.',
    exposes: ['limit', 'how'],
  },
  LOG_EXCEEDED: {
    status: 502,
    message: 'The function logged more than {limit} bytes. Log less, or raise limits.maxLogBytes.',
    exposes: ['limit'],
  },
  CLIENT_GONE: {
    status: 499,
    message: 'The client went away before it was answered.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    message: 'The method {method} is not for functions. Use another one.',
    exposes: ['method'],
  },
  METHOD_UNKNOWN: {
    status: 501,
    message: 'The method of the request is not known here. Use one that HTTP defines.',
  },
  WEBSOCKET_UNSUPPORTED: {
    status: 501,
    message: 'Functions cannot take WebSocket connections yet. Use server-sent events.',
  },
  EXPECTATION_FAILED: {
    status: 417,
    message: 'Only 100-continue can be expected of this server.',
  },
  DRAINING: {
    status: 503,
    message: 'This server is shutting down. Try again in {retryAfter} s.',
    exposes: ['retryAfter'],
  },
  WORKER_DIED: {
    status: 502,
    message: 'The worker process that served this request died. Send the request again.',
  },
  OVERLOADED: {
    status: 503,
    message: 'All places are taken ({reason}). Try again in {retryAfter} s.',
    exposes: ['retryAfter'],
  },

  // What a host call comes back with, in the guest.
  FETCH_DENIED: {
    status: 502,
    message: 'This function may not fetch from {target}: {reason}. Allow it with allowFetch.',
  },
  FETCH_FAILED: {
    status: 502,
    message: 'Fetching from {target} failed: {reason}.',
  },
  BINDING_MISSING: {
    status: 502,
    message: 'The host binds nothing to {binding}.',
  },
  HOST_CALL_TIMEOUT: {
    status: 502,
    message: 'The host call took longer than {limit} ms.',
  },
  HOST_CALL_TOO_LARGE: {
    status: 502,
    message: 'The host call carries more than {limit} bytes.',
  },
  VALUE_NOT_CLONEABLE: {
    status: 502,
    message: '{problem}.',
  },

  INSTANCE_UNKNOWN: {
    status: 404,
    message: 'There is no instance {instance}. `hatchery instance ls` lists those there are.',
    exposes: ['instance'],
  },
  REQUEST_UNKNOWN: {
    status: 404,
    message: 'No request {request} is remembered. Only the last ones of each worker are.',
    exposes: ['request'],
  },
  STREAMS_EXHAUSTED: {
    status: 503,
    message: '{limit} streams are open already. Close some, and try again in {retryAfter} s.',
    exposes: ['limit', 'retryAfter'],
  },
  INSTANCE_GONE: {
    status: 410,
    message: 'This instance has ended ({reason}). Spawn another one.',
  },
  FABRIC_CLOSED: {
    status: 503,
    message: 'The fabric is closed. Open another one.',
  },
  PORT_IN_USE: {
    status: 500,
    message: 'Port {port} of {host} is in use. Choose another one.',
  },
  INTERNAL: {
    status: 500,
    message: 'Something in Hatchery itself failed. The log says what; please report it.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a client sees of an error. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly requestId: string | undefined;
  readonly details?: ErrorDetails;
}

/** The one class of error that Hatchery throws on purpose. */
export class HatcheryError extends Error {
  override readonly name = 'HatcheryError';
  readonly code: ErrorCode;
  /** The HTTP status that stands for this error. */
  readonly status: number;
  /** What is known; fills the message. May hold traces: only some of it is in {@link toJSON}. */
  readonly details: ErrorDetails;
  /** Names the request in logs and in the response, where there was one. */
  requestId: string | undefined;

  constructor(
    code: ErrorCode,
    details: ErrorDetails = {},
    options: { readonly cause?: unknown; readonly requestId?: string | undefined } = {},
  ) {
    super(
      fill(ERRORS[code].message, details),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.status = ERRORS[code].status;
    this.details = details;
    this.requestId = options.requestId;
  }

  /** What may leave the machine: no stack, no cause, and of the details only what the table says. */
  toJSON(): ErrorReport {
    const exposed = exposedDetails(this.code, this.details);
    const report = { code: this.code, message: this.message, requestId: this.requestId };
    return exposed === undefined ? report : { ...report, details: exposed };
  }

  /** The error itself, or INTERNAL with `error` as its cause. */
  static from(error: unknown): HatcheryError {
    return error instanceof HatcheryError
      ? error
      : new HatcheryError('INTERNAL', {}, { cause: error });
  }
}

function fill(message: string, details: ErrorDetails): string {
  return message.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? 'unknown'));
}

function exposedDetails(code: ErrorCode, details: ErrorDetails): ErrorDetails | undefined {
  const kind: ErrorKind = ERRORS[code];
  const known = kind.exposes?.filter((name) => details[name] !== undefined) ?? [];
  return known.length === 0
    ? undefined
    : Object.fromEntries(known.map((name) => [name, details[name]]));
}
