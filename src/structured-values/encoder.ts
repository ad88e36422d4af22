import {
  ARRAY,
  BOXED,
  BUFFER,
  CODE_UNITS,
  DATE,
  END,
  ERROR,
  ERROR_NAMES,
  EXCEPTION,
  Exception,
  FALSE,
  HOLE,
  INTEGER,
  MAP,
  MAX_ARRAY_LENGTH,
  MAX_DEPTH,
  NATURAL,
  NEGATIVE,
  NULL,
  NUMBER,
  OBJECT,
  REFERENCE,
  REGEXP,
  SET,
  TEXT,
  TRUE,
  TWO_32,
  UNDEFINED,
  VIEW,
  VIEW_NAMES,
} from './format.js';

// Taken now: programs may change prototypes.
const tagOf = Object.prototype.toString;
const { ownKeys } = Reflect;
const viewName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;
const bufferLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')?.get as (
  this: unknown,
) => number;
const { getTime } = Date.prototype;
const mapEach = Map.prototype.forEach;
const setEach = Set.prototype.forEach;

const textEncoder = new TextEncoder();

const LONE_SURROGATE = /\p{Surrogate}/u;

function refuse(what: string): Error {
  return new Exception(`${what} cannot be cloned`, 'DataCloneError');
}

/** Writes one value. */
export class Encoder {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  readonly #numbers = new Map<object, number>();

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#used);
  }

  #reserve(count: number): void {
    const needed = this.#used + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#used++] = byte;
  }

  #count(count: number): void {
    if (count >= TWO_32) throw refuse('a value of 4 GiB or more');
    let rest = count;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    this.#byte(rest);
  }

  #float(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#used, value, true);
    this.#used += 8;
  }

  #counted(bytes: Uint8Array): void {
    this.#count(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  value(value: unknown, depth: number): void {
    if (typeof value === 'string') this.#string(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#byte(value ? TRUE : FALSE);
    else if (value === undefined) this.#byte(UNDEFINED);
    else if (value === null) this.#byte(NULL);
    else if (typeof value === 'object') this.#object(value, depth + 1);
    else if (typeof value === 'bigint') this.#bigint(value);
    else throw refuse(typeof value === 'function' ? `the function ${value.name}` : 'a symbol');
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#byte(INTEGER);
      this.#count(value >= 0 ? value * 2 : -value * 2 - 1);
    } else {
      this.#byte(NUMBER);
      this.#float(value);
    }
  }

  #bigint(value: bigint): void {
    this.#byte(value < 0n ? NEGATIVE : NATURAL);
    const digits = (value < 0n ? -value : value).toString(16);
    const bytes = new Uint8Array(Math.ceil(digits.length / 2));
    for (let i = 0, end = digits.length; end > 0; i++, end -= 2) {
      bytes[i] = Number.parseInt(digits.slice(Math.max(end - 2, 0), end), 16);
    }
    this.#counted(bytes);
  }

  #string(value: string): void {
    if (!LONE_SURROGATE.test(value)) {
      this.#byte(TEXT);
      this.#counted(textEncoder.encode(value));
      return;
    }
    this.#byte(CODE_UNITS);
    this.#count(value.length);
    this.#reserve(value.length * 2);
    for (let i = 0; i < value.length; i++, this.#used += 2) {
      this.#view.setUint16(this.#used, value.charCodeAt(i), true);
    }
  }

  #object(value: object, depth: number): void {
    const number = this.#numbers.get(value);
    if (number !== undefined) {
      this.#byte(REFERENCE);
      this.#count(number);
      return;
    }
    if (depth > MAX_DEPTH) throw refuse(`a value of more than ${MAX_DEPTH} objects in one another`);
    this.#numbers.set(value, this.#numbers.size);
    if (Array.isArray(value)) this.#array(value, depth);
    else if (ArrayBuffer.isView(value)) this.#arrayView(value);
    else this.#tagged(value, tagOf.call(value).slice('[object '.length, -1), depth);
  }

  #tagged(value: object, tag: string, depth: number): void {
    try {
      if (this.#builtIn(value, tag, depth)) return;
    } catch (error) {
      // A method that the object is no `this` for: the tag is false.
      if (error === FALSE_TAG) throw refuse(`an object that calls itself ${tag}`);
      throw error;
    }
    if (tag !== 'Object' && tag !== 'Arguments') throw refuse(`an object of class ${tag}`);
    this.#byte(OBJECT);
    this.#properties(value, Object.keys(value), depth);
  }

  #builtIn(value: object, tag: string, depth: number): boolean {
    switch (tag) {
      case 'Boolean':
      case 'Number':
      case 'String':
      case 'BigInt': {
        const primitive = branded(() =>
          (BOXES[tag].prototype.valueOf as () => unknown).call(value),
        );
        this.#byte(BOXED);
        this.value(primitive, depth);
        return true;
      }
      case 'Date': {
        const time = branded(() => getTime.call(value));
        this.#byte(DATE);
        this.#float(time);
        return true;
      }
      case 'RegExp':
        this.#byte(REGEXP);
        this.#string(branded(() => regExpSource.call(value)));
        this.#string(branded(() => regExpFlags.call(value)));
        return true;
      case 'Map': {
        const entries: unknown[] = [];
        branded(() => mapEach.call(value as never, (item, key) => entries.push(key, item)));
        this.#byte(MAP);
        this.#list(entries, depth);
        return true;
      }
      case 'Set': {
        const items: unknown[] = [];
        branded(() => setEach.call(value as never, (item) => items.push(item)));
        this.#byte(SET);
        this.#list(items, depth);
        return true;
      }
      case 'ArrayBuffer':
        branded(() => bufferLength.call(value));
        this.#byte(BUFFER);
        this.#counted(attached(() => new Uint8Array(value as ArrayBuffer)));
        return true;
      case 'Error':
        this.#error(value as Error, depth);
        return true;
      case 'DOMException':
        this.#byte(EXCEPTION);
        this.#string(String((value as Error).name));
        this.#string(String((value as Error).message));
        return true;
      default:
        return false;
    }
  }

  #list(values: readonly unknown[], depth: number): void {
    for (const value of values) this.value(value, depth);
    this.#byte(END);
  }

  #properties(value: object, keys: readonly string[], depth: number): void {
    for (const key of keys) {
      // An accessor may have removed it.
      if (!Object.hasOwn(value, key)) continue;
      this.#string(key);
      this.value((value as Record<string, unknown>)[key], depth);
    }
    this.#byte(END);
  }

  #array(array: readonly unknown[], depth: number): void {
    const { length } = array;
    if (length > MAX_ARRAY_LENGTH) {
      throw refuse(`an array of more than ${MAX_ARRAY_LENGTH} items`);
    }
    this.#byte(ARRAY);
    for (let i = 0; i < length; i++) {
      const item = array[i];
      if (item === undefined && !Object.hasOwn(array, i)) this.#byte(HOLE);
      else this.value(item, depth);
    }
    this.#byte(END);
    this.#properties(array, namedKeys(array, length), depth);
  }

  #arrayView(view: ArrayBufferView): void {
    const kind = VIEW_NAMES.indexOf(viewName.call(view) ?? 'DataView');
    if (kind < 0) throw refuse(`a ${viewName.call(view)}`);
    this.#byte(VIEW);
    this.#byte(kind);
    // The prototype's own getters: a class of the program's may have others. A DataView has to tell
    // of itself, and throws where its buffer is gone.
    this.#counted(
      attached(() => new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength)),
    );
  }

  #error(error: Error, depth: number): void {
    const { name } = error;
    const message = Object.hasOwn(error, 'message') ? String(error.message) : undefined;
    this.#byte(ERROR);
    this.#byte(Math.max(ERROR_NAMES.indexOf(String(name)), 0));
    this.value(message, depth);
    const hasCause = Object.hasOwn(error, 'cause');
    this.#byte(hasCause ? 1 : 0);
    if (hasCause) this.value(error.cause, depth);
  }
}

const BOXES = { Boolean, Number, String, BigInt } as const;
const regExpSource = getterOf(RegExp.prototype, 'source');
const regExpFlags = getterOf(RegExp.prototype, 'flags');

function getterOf(object: object, name: string): (this: unknown) => string {
  return Object.getOwnPropertyDescriptor(object, name)?.get as (this: unknown) => string;
}

const FALSE_TAG = Symbol('false tag');

function branded<Result>(read: () => Result): Result {
  try {
    return read();
  } catch {
    throw FALSE_TAG;
  }
}

function attached(read: () => Uint8Array): Uint8Array {
  try {
    return read();
  } catch {
    throw refuse('a detached ArrayBuffer');
  }
}

/** The enumerable keys of an array that are no indices; those stand first in the order of keys. */
function namedKeys(array: readonly unknown[], length: number): string[] {
  const keys = ownKeys(array);
  const named: string[] = [];
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i];
    if (typeof key === 'symbol') continue;
    if (key !== 'length' && String(Number(key) >>> 0) === key && Number(key) < length) break;
    if (Object.getOwnPropertyDescriptor(array, key as string)?.enumerable) {
      named.push(key as string);
    }
  }
  return named.reverse();
}
