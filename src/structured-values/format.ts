/** The numbers of the encoding that ../structured-values.ts specifies. */

/** Objects inside one another. */
export const MAX_DEPTH = 400;
/** Items of an array, holes included: a hole is a byte here, but a word in memory. */
export const MAX_ARRAY_LENGTH = 1 << 24;

export const END = 0x00;
export const HOLE = 0x01;
export const UNDEFINED = 0x02;
export const NULL = 0x03;
export const FALSE = 0x04;
export const TRUE = 0x05;
export const INTEGER = 0x06;
export const NUMBER = 0x07;
export const NATURAL = 0x08;
export const NEGATIVE = 0x09;
export const TEXT = 0x0a;
export const CODE_UNITS = 0x0b;
export const BOXED = 0x0c;
export const DATE = 0x0d;
export const REGEXP = 0x0e;
export const ARRAY = 0x0f;
export const OBJECT = 0x10;
export const MAP = 0x11;
export const SET = 0x12;
export const BUFFER = 0x13;
export const VIEW = 0x14;
export const ERROR = 0x15;
export const EXCEPTION = 0x16;
export const REFERENCE = 0x17;

type NamedException = new (message: string, name: string) => Error;
type View = new (buffer: ArrayBuffer) => ArrayBufferView;

/** What the libraries of one side or the other do not declare. */
export const { DOMException: Exception, Float16Array } = globalThis as unknown as {
  DOMException: NamedException;
  /** Not in every engine. */
  Float16Array?: View & { readonly BYTES_PER_ELEMENT: number };
};

/** Classes of views by kind. */
export const VIEWS: readonly ((View & { readonly BYTES_PER_ELEMENT?: number }) | undefined)[] = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  Float16Array,
];
export const VIEW_NAMES = VIEWS.map((view) => view?.name ?? 'Float16Array');

/** Classes of errors by kind. */
export const ERRORS = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
];
export const ERROR_NAMES = ERRORS.map(({ name }) => name);

export const TWO_32 = 0x1_0000_0000;
