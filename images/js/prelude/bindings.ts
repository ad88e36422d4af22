/** The host's functions that the program finds in `env`. */

import { decode, encode } from '../../../src/structured-values.js';
import { hostError } from './call-errors.js';
import { startCall } from './calls.js';
import { host } from './host.js';
import { requireRequest } from './serving.js';

type Bound = (...values: unknown[]) => Promise<unknown>;

/** What the host binds: names, each with those of its methods, or null for a function. */
type Names = Readonly<Record<string, readonly string[] | null>>;

function bind(binding: string, method: string): Bound {
  const label = method === '' ? binding : `${binding}.${method}`;
  const names = `${binding}\0${method}\0`;
  const bound: Bound = async (...values) => {
    requireRequest(`env.${label}`);
    const bytes = encode(values);
    let result: Uint8Array;
    try {
      result = await startCall((id) => host.startBinding(id, names, bytes)).answer;
    } catch (failure) {
      throw hostError(failure);
    }
    return decode(result);
  };
  Object.defineProperty(bound, 'name', { value: method === '' ? binding : method });
  return Object.freeze(bound);
}

/** An object that has the methods and nothing else: not what an object inherits either. */
function bindObject(binding: string, methods: readonly string[]): object {
  const object = Object.create(null);
  for (const method of methods) {
    Object.defineProperty(object, method, { value: bind(binding, method), enumerable: true });
  }
  return Object.freeze(object);
}

/** Adds the bindings to the environment, which has no strings of their names. */
export function addBindings(env: object, names: Names): void {
  for (const [name, methods] of Object.entries(names)) {
    Object.defineProperty(env, name, {
      value: methods === null ? bind(name, '') : bindObject(name, methods),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}
