/** HTML's structuredClone, in one pass: the copy is made while the value is walked over. */

import { Blob, bytesOf, File } from './blob.js';
import { errorClass } from './error-classes.js';
import { viewOn } from './views.js';

function refuse(what: string): DOMException {
  return new DOMException(`${what} cannot be cloned`, 'DataCloneError');
}

function cloneError(error: Error, clone: (value: unknown) => unknown): Error {
  const result = new (errorClass(String(error.name)) ?? Error)();
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(result, name, { value, writable: true, configurable: true });
  };
  if (Object.hasOwn(error, 'message')) define('message', String(error.message));
  if (typeof error.stack === 'string') define('stack', error.stack);
  if (Object.hasOwn(error, 'cause')) define('cause', clone(error.cause));
  return result;
}

/** An object without contents yet, so that cycles find it; fill adds them. */
interface Shell {
  readonly copy: object;
  readonly fill?: () => void;
}

class Cloning {
  readonly #copies = new Map<object, object>();

  /** Clones the value; the buffers in `transfer` move to the copy and are detached here. */
  run(value: unknown, transfer: Iterable<unknown>): unknown {
    const buffers = [...transfer];
    if (new Set(buffers).size < buffers.length) throw refuse('a value that is transferred twice');
    for (const buffer of buffers) {
      if (!(buffer instanceof ArrayBuffer) || buffer.detached) {
        throw refuse('a transferred value that is no ArrayBuffer, or a detached one,');
      }
    }
    const copy = this.clone(value);
    for (const buffer of buffers as ArrayBuffer[]) buffer.transfer(0);
    return copy;
  }

  readonly clone = (value: unknown): unknown => {
    if (typeof value === 'symbol') throw refuse('a symbol');
    if (typeof value === 'function') throw refuse(`the function ${value.name}`);
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    const shell = this.#shell(value);
    this.#copies.set(value, shell.copy);
    shell.fill?.();
    return shell.copy;
  };

  #shell(value: object): Shell {
    if (Array.isArray(value)) {
      const copy: unknown[] = new Array(value.length);
      return { copy, fill: () => this.#properties(value, copy) };
    }
    if (value instanceof Date) return { copy: new Date(value.getTime()) };
    if (value instanceof RegExp) return { copy: new RegExp(value.source, value.flags) };
    if (value instanceof Map) {
      const copy = new Map();
      const entries = [...value];
      return {
        copy,
        fill: () => {
          for (const [key, item] of entries) copy.set(this.clone(key), this.clone(item));
        },
      };
    }
    if (value instanceof Set) {
      const copy = new Set();
      const items = [...value];
      return {
        copy,
        fill: () => {
          for (const item of items) copy.add(this.clone(item));
        },
      };
    }
    return this.#binary(value) ?? this.#plain(value);
  }

  #binary(value: object): Shell | undefined {
    if (value instanceof ArrayBuffer) {
      if (value.detached) throw refuse('a detached ArrayBuffer');
      return { copy: value.slice(0) };
    }
    if (ArrayBuffer.isView(value)) {
      return { copy: viewOn(this.clone(value.buffer) as ArrayBuffer, value) };
    }
    if (value instanceof File) {
      const { name, type, lastModified } = value;
      return { copy: new File([bytesOf(value) as never], name, { type, lastModified }) };
    }
    if (value instanceof Blob) {
      return { copy: new Blob([bytesOf(value) as never], { type: value.type }) };
    }
    return undefined;
  }

  #plain(value: object): Shell {
    if (value instanceof DOMException) {
      return { copy: new DOMException(value.message, value.name) };
    }
    if (value instanceof Error) return { copy: cloneError(value, this.clone) };
    if (
      value instanceof Boolean ||
      value instanceof Number ||
      value instanceof String ||
      value instanceof BigInt
    ) {
      return { copy: Object(value.valueOf()) };
    }
    const tag = Object.prototype.toString.call(value);
    if (tag !== '[object Object]' && tag !== '[object Arguments]') {
      throw refuse(`an object of class ${tag.slice(8, -1)}`);
    }
    const copy = {};
    return { copy, fill: () => this.#properties(value, copy) };
  }

  #properties(from: object, to: object): void {
    for (const key of Object.keys(from)) {
      const value = this.clone((from as Record<string, unknown>)[key]);
      Object.defineProperty(to, key, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
}

/** The value, cloned; throws a DataCloneError for what cannot be. */
export function structuredClone<T>(
  ...parameters: [value?: T, options?: { transfer?: Iterable<unknown> }]
): T {
  if (parameters.length === 0) throw new TypeError('structuredClone: the value is missing');
  const [value, options] = parameters;
  return new Cloning().run(value, options?.transfer ?? []) as T;
}
