import {
  ARRAY,
  BOXED,
  BUFFER,
  CODE_UNITS,
  DATE,
  END,
  ERROR,
  ERRORS,
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
  VIEWS,
} from './format.js';

/** What decoding throws: the bytes are no value, or one that this engine cannot hold. */
export class StructuredValueError extends Error {
  override readonly name = 'StructuredValueError';
}

const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one value. */
export class Decoder {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  readonly #objects: object[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  finish(): void {
    if (this.#at !== this.#bytes.length) throw new StructuredValueError('bytes behind the value');
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new StructuredValueError('the value breaks off');
    this.#at += 1;
    return byte;
  }

  #count(): number {
    let count = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      count += (byte & 0x7f) * factor;
      if (count >= TWO_32) throw new StructuredValueError('a count is too large');
      if (byte < 0x80) return count;
      // Zeroes would go on for ever.
      if (factor >= TWO_32) throw new StructuredValueError('a count is too long');
    }
  }

  /** Goes over the next bytes; returns where they begin. */
  #skip(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw new StructuredValueError('the value breaks off');
    this.#at = start + count;
    return start;
  }

  #counted(): Uint8Array {
    const start = this.#skip(this.#count());
    return this.#bytes.subarray(start, this.#at);
  }

  #float(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /** The value of which the tag was read. */
  value(tag: number, depth: number): unknown {
    switch (tag) {
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case INTEGER: {
        const count = this.#count();
        return count % 2 === 0 ? count / 2 : -(count + 1) / 2;
      }
      case NUMBER:
        return this.#float();
      case NATURAL:
        return this.#bigint();
      case NEGATIVE:
        return -this.#bigint();
      case TEXT:
      case CODE_UNITS:
        return this.#string(tag);
      case REFERENCE: {
        const object = this.#objects[this.#count()];
        if (object === undefined) throw new StructuredValueError('a reference to nothing');
        return object;
      }
      default:
        if (depth >= MAX_DEPTH) throw new StructuredValueError('the value is too deep');
        return this.#object(tag, depth + 1);
    }
  }

  #next(depth: number): unknown {
    return this.value(this.byte(), depth);
  }

  #bigint(): bigint {
    const bytes = this.#counted();
    const digits: string[] = ['0x0'];
    for (let i = bytes.length - 1; i >= 0; i--) {
      digits.push((bytes[i] as number).toString(16).padStart(2, '0'));
    }
    return possible(() => BigInt(digits.join('')));
  }

  #string(tag: number): string {
    if (tag === TEXT) {
      const bytes = this.#counted();
      return possible(() => textDecoder.decode(bytes));
    }
    if (tag !== CODE_UNITS) throw new StructuredValueError('no string where one must be');
    const units = this.#count();
    let at = this.#skip(units * 2);
    const parts: string[] = [];
    while (at < this.#at) {
      const part: number[] = [];
      for (; at < this.#at && part.length < 4096; at += 2)
        part.push(this.#view.getUint16(at, true));
      parts.push(String.fromCharCode(...part));
    }
    return parts.join('');
  }

  #text(): string {
    return this.#string(this.byte());
  }

  #keep<Made extends object>(object: Made): Made {
    this.#objects.push(object);
    return object;
  }

  #object(tag: number, depth: number): object {
    switch (tag) {
      case BOXED: {
        // Its number comes before those of what it contains, which are none.
        const primitive = this.#next(depth);
        if (primitive === null || primitive === undefined || typeof primitive === 'object') {
          throw new StructuredValueError('a boxed value that is no primitive');
        }
        return this.#keep(Object(primitive));
      }
      case DATE:
        return this.#keep(new Date(this.#float()));
      case REGEXP: {
        const source = this.#text();
        const flags = this.#text();
        return this.#keep(possible(() => new RegExp(source, flags)));
      }
      case ARRAY:
        return this.#array(this.#keep([]), depth);
      case OBJECT:
        return this.#properties(this.#keep({}), depth);
      case MAP: {
        const map = this.#keep(new Map<unknown, unknown>());
        for (let next = this.byte(); next !== END; next = this.byte()) {
          const key = this.value(next, depth);
          map.set(key, this.#next(depth));
        }
        return map;
      }
      case SET: {
        const set = this.#keep(new Set<unknown>());
        for (let next = this.byte(); next !== END; next = this.byte()) {
          set.add(this.value(next, depth));
        }
        return set;
      }
      case BUFFER:
        return this.#keep(copyOf(this.#counted()));
      case VIEW:
        return this.#arrayView();
      case ERROR:
        return this.#error(depth);
      case EXCEPTION: {
        const name = this.#text();
        const message = this.#text();
        return this.#keep(withoutStack(() => new Exception(message, name)));
      }
      default:
        throw new StructuredValueError(`no value begins with the byte ${tag}`);
    }
  }

  #properties<Made extends object>(object: Made, depth: number): Made {
    for (let next = this.byte(); next !== END; next = this.byte()) {
      const key = this.#string(next);
      define(object, key, this.#next(depth), true);
    }
    return object;
  }

  #array(array: unknown[], depth: number): unknown[] {
    for (let next = this.byte(); next !== END; next = this.byte()) {
      if (array.length >= MAX_ARRAY_LENGTH) throw new StructuredValueError('an array is too long');
      if (next === HOLE) array.length += 1;
      else define(array, array.length, this.value(next, depth), true);
    }
    for (let next = this.byte(); next !== END; next = this.byte()) {
      const key = this.#string(next);
      // Else it would be a length, or an item beyond the others.
      if (key === 'length' || String(Number(key) >>> 0) === key) {
        throw new StructuredValueError('an item among the properties of an array');
      }
      define(array, key, this.#next(depth), true);
    }
    return array;
  }

  #arrayView(): ArrayBufferView {
    const kind = this.byte();
    const bytes = this.#counted();
    const View = VIEWS[kind];
    if (View === undefined) throw new StructuredValueError(`no view of kind ${kind} here`);
    if (bytes.length % (View.BYTES_PER_ELEMENT ?? 1) !== 0) {
      throw new StructuredValueError(`a ${View.name} of ${bytes.length} bytes`);
    }
    return this.#keep(new View(copyOf(bytes)));
  }

  #error(depth: number): Error {
    const kind = this.byte();
    const Kind = ERRORS[kind];
    if (Kind === undefined) throw new StructuredValueError(`no error of kind ${kind}`);
    const error = this.#keep(withoutStack(() => new Kind()));
    const next = this.byte();
    const message = next === UNDEFINED ? undefined : this.#string(next);
    if (message !== undefined) define(error, 'message', message, false);
    define(error, 'stack', message ? `${Kind.name}: ${message}` : Kind.name, false);
    const hasCause = this.byte();
    if (hasCause > 1) throw new StructuredValueError('an error that is malformed');
    if (hasCause === 1) define(error, 'cause', this.#next(depth), false);
    return error;
  }
}

/** Whatever the prototypes are: no setter is called, and `__proto__` is a name like others. */
function define(object: object, key: PropertyKey, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, writable: true, configurable: true });
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  // Not slice(): that of a Node Buffer makes no copy.
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer;
}

/** What the engine refuses to make of the bytes is theirs to answer for. */
function possible<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    throw new StructuredValueError(String((error as Error).message));
  }
}

/** The frames would be this file's, and cost a hundred times what the bytes did. */
function withoutStack<Made extends Error>(make: () => Made): Made {
  const engine = Error as { stackTraceLimit?: number };
  const limit = engine.stackTraceLimit;
  if (limit === undefined) return make();
  engine.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    engine.stackTraceLimit = limit;
  }
}
