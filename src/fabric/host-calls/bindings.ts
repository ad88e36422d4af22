/** Serves a guest's calls of what the host bound for it. */
import { HatcheryError } from '../../errors.js';
import { decode, encode } from '../../structured-values.js';
import type { Binding, BoundFunction } from '../definition.js';
import type { Limits } from '../limits.js';
import { runBound } from './binding-context.js';
import type { CallContext, CallHandler, CallResult } from './call-handler.js';

export interface BindingsOptions {
  /** For the context of a call. */
  readonly functionName: string;
  /** Copied: what is added to them later is not the guest's to call. */
  readonly bindings: Readonly<Record<string, Binding>>;
  readonly limits: Pick<Limits, 'maxHostCallBytes'>;
}

/** They go onto the stack. */
const MAX_ARGUMENTS = 255;

/** What is called, and as whose method. */
interface Bound {
  readonly method: BoundFunction;
  readonly owner: object | undefined;
}

/** Names of the methods of a binding; `null` for a binding that is a function itself. */
export type BindingNames = Readonly<Record<string, readonly string[] | null>>;

/** What a guest is told of the bindings. Only own enumerable properties count. */
export function describeBindings(bindings: Readonly<Record<string, Binding>>): BindingNames {
  // Not an object literal, in which `__proto__` would not become a property.
  return Object.fromEntries(
    Object.entries(bindings).map(([name, binding]) => [
      name,
      typeof binding === 'function' ? null : methodsOf(binding).map(([method]) => method),
    ]),
  );
}

function methodsOf(binding: object): [string, BoundFunction][] {
  return Object.entries(binding).filter(([, method]) => typeof method === 'function');
}

export class Bindings implements CallHandler {
  readonly #functionName: string;
  readonly #limits: Pick<Limits, 'maxHostCallBytes'>;
  /** By binding, then by method, '' being the binding itself. A Map has no prototype to be reached. */
  readonly #bound = new Map<string, Map<string, Bound>>();

  constructor({ functionName, bindings, limits }: BindingsOptions) {
    this.#functionName = functionName;
    this.#limits = limits;
    for (const [name, binding] of Object.entries(bindings)) {
      const methods: [string, Bound][] =
        typeof binding === 'function'
          ? [['', { method: binding, owner: undefined }]]
          : methodsOf(binding)
              .filter(([method]) => method !== '')
              .map(([method, call]) => [method, { method: call, owner: binding }]);
      this.#bound.set(name, new Map(methods));
    }
  }

  /**
   * @throws HatcheryError BINDING_MISSING, HOST_CALL_TOO_LARGE, VALUE_NOT_CLONEABLE, INVALID_ARGUMENT;
   *   the signal's reason; what the host's function throws, as {@link BindingError}
   */
  async call(payload: Uint8Array, context: CallContext): Promise<CallResult> {
    const { names, args } = decodeCall(payload);
    const { method, owner } = this.#find(names);
    const { signal, requestId } = context;
    signal.throwIfAborted();
    const call = { signal, requestId, function: this.#functionName };
    const result = await untilAborted(signal, () =>
      runBound(call, () => Reflect.apply(method, owner, args)),
    );
    return { payload: this.#encode(result) };
  }

  #find([name, method]: readonly [string, string]): Bound {
    const bound = this.#bound.get(name)?.get(method);
    if (bound === undefined) {
      const binding = method === '' ? name : `${name}.${method}`;
      throw new HatcheryError('BINDING_MISSING', { binding: shorten(binding) });
    }
    return bound;
  }

  #encode(result: unknown): Uint8Array {
    let payload: Uint8Array;
    try {
      payload = encode(result);
    } catch (error) {
      throw error instanceof Error && error.name === 'DataCloneError'
        ? new HatcheryError('VALUE_NOT_CLONEABLE', { problem: withoutStop(error.message) })
        : new BindingError(error);
    }
    const { maxHostCallBytes } = this.#limits;
    if (payload.length > maxHostCallBytes) {
      throw new HatcheryError('HOST_CALL_TOO_LARGE', { limit: maxHostCallBytes });
    }
    return payload;
  }

  async close(): Promise<void> {}
}

/** What a host's function threw, as far as it is the guest's to know. */
export class BindingError extends Error {
  /** Where the host's error had a string there. */
  readonly code?: string;

  constructor(thrown: unknown) {
    const fields = fieldsOf(thrown);
    super(fields.message);
    this.name = fields.name;
    if (fields.code !== undefined) {
      this.code = fields.code;
    }
    // It would be this file's.
    this.stack = `${fields.name}: ${fields.message}`;
  }
}

interface ThrownFields {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
}

/** Never throws, whatever was thrown: it may be a Proxy, or have accessors that throw. */
function fieldsOf(thrown: unknown): ThrownFields {
  try {
    if (isErrorLike(thrown)) {
      const { name, message, code } = thrown;
      return {
        name: typeof name === 'string' ? name : 'Error',
        message: String(message),
        code: typeof code === 'string' ? code : undefined,
      };
    }
    return { name: 'Error', message: String(thrown), code: undefined };
  } catch {
    const message = 'The host threw what cannot be told';
    return { name: 'Error', message, code: undefined };
  }
}

/** Errors of another realm (`node:vm`) are not `instanceof Error` here. */
function isErrorLike(thrown: unknown): thrown is Record<'name' | 'message' | 'code', unknown> {
  return (
    thrown instanceof Error ||
    (typeof thrown === 'object' &&
      thrown !== null &&
      Object.prototype.toString.call(thrown) === '[object Error]')
  );
}

/** Runs the host's function; when the signal is aborted, nobody waits for it any more. */
async function untilAborted(signal: AbortSignal, run: () => unknown): Promise<unknown> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  const done = (async () => {
    try {
      return await run();
    } catch (error) {
      throw new BindingError(error);
    }
  })();
  try {
    return await Promise.race([done, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** @throws HatcheryError INVALID_ARGUMENT for what is none; a guest in C may send anything */
function decodeCall(payload: Uint8Array): {
  names: readonly [string, string];
  args: readonly unknown[];
} {
  const nameEnd = payload.indexOf(0);
  const methodEnd = nameEnd < 0 ? -1 : payload.indexOf(0, nameEnd + 1);
  if (methodEnd < 0) {
    throw malformed('its names have no end');
  }
  let args: unknown;
  try {
    args = decode(payload.subarray(methodEnd + 1));
  } catch (error) {
    throw malformed('its arguments cannot be read', error);
  }
  if (!Array.isArray(args) || args.length > MAX_ARGUMENTS) {
    throw malformed(`its arguments are no array of up to ${MAX_ARGUMENTS}`);
  }
  const text = (start: number, end: number) => Buffer.from(payload.subarray(start, end)).toString();
  return { names: [text(0, nameEnd), text(nameEnd + 1, methodEnd)], args };
}

function malformed(reason: string, cause?: unknown): HatcheryError {
  const problem = `The call of a binding is malformed: ${reason}`;
  return new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
}

function shorten(text: string): string {
  return text.length > 128 ? `${text.slice(0, 128)}…` : text;
}

/** The table's message has its own. */
function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
