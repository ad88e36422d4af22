/** Types of a WebAssembly module, as its binary has them (core specification, 5.3). */
import { UnsupportedFeature } from './features.js';
import type { ByteReader } from './reader.js';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'funcref' | 'externref';

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Sizes of a memory, in pages of 64 KiB, or of a table. */
export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

const VALUE_TYPES: Readonly<Record<number, ValueType>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  112: 'funcref',
  111: 'externref',
};
const VECTOR = 0x7b;
/** Other heap types: of exceptions, of garbage collection, and references with a type. */
const TYPED_REFERENCES = [0x63, 0x64];
const EXCEPTION_TYPES = [0x69, 0x74];
const COLLECTED_TYPES = [0x65, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x71, 0x72, 0x73, 0x77, 0x78];

const FUNCTION_FORM = 0x60;
const COLLECTED_FORMS = [0x4e, 0x4f, 0x50, 0x5d, 0x5e, 0x5f];

const EMPTY_BLOCK = 0x40;
/** A block type of one byte below this is an index, as are all that are longer. */
const FIRST_TYPE_CODE = 0x40;
const CONTINUES = 0x80;

const HAS_MAXIMUM = 1;
const IS_SHARED = 2;
const IS_64_BIT = 4;
const HAS_PAGE_SIZE = 8;
const ALL_FLAGS = 15;

/** @throws MalformedModule, UnsupportedFeature */
export function readValueType(reader: ByteReader): ValueType {
  const { offset } = reader;
  return valueTypeOf(reader, reader.byte(), offset);
}

function valueTypeOf(reader: ByteReader, code: number, offset: number): ValueType {
  const type = VALUE_TYPES[code];
  if (type !== undefined) {
    return type;
  }
  if (code === VECTOR) {
    throw new UnsupportedFeature('simd', offset);
  }
  if (TYPED_REFERENCES.includes(code)) {
    throw new UnsupportedFeature('functionReferences', offset);
  }
  if (EXCEPTION_TYPES.includes(code)) {
    throw new UnsupportedFeature('exceptions', offset);
  }
  if (COLLECTED_TYPES.includes(code)) {
    throw new UnsupportedFeature('garbageCollection', offset);
  }
  return reader.fail(`0x${code.toString(16)} is not the code of a type`, offset);
}

/** Passes the type of a block. */
export function readBlockType(reader: ByteReader): void {
  const { offset } = reader;
  const code = reader.byte();
  if (code === EMPTY_BLOCK || code < FIRST_TYPE_CODE) {
    return;
  }
  if (code < CONTINUES) {
    valueTypeOf(reader, code, offset);
    return;
  }
  // The rest of an index of more bytes.
  for (let length = 2; reader.byte() >= CONTINUES; length++) {
    if (length === 5) {
      reader.fail('a number is too long', offset);
    }
  }
}

export function readFunctionType(reader: ByteReader): FunctionType {
  const { offset } = reader;
  const form = reader.byte();
  if (COLLECTED_FORMS.includes(form)) {
    throw new UnsupportedFeature('garbageCollection', offset);
  }
  if (form !== FUNCTION_FORM) {
    reader.fail('it is not a function type', offset);
  }
  return { parameters: readValueTypes(reader), results: readValueTypes(reader) };
}

export function readValueTypes(reader: ByteReader): ValueType[] {
  return Array.from({ length: reader.count() }, () => readValueType(reader));
}

export function readLimits(reader: ByteReader): Limits {
  const { offset } = reader;
  const flags = reader.byte();
  if (flags > ALL_FLAGS) {
    reader.fail('unknown flags of limits', offset);
  }
  if ((flags & IS_64_BIT) !== 0) {
    throw new UnsupportedFeature('memory64', offset);
  }
  if ((flags & IS_SHARED) !== 0) {
    throw new UnsupportedFeature('threads', offset);
  }
  if ((flags & HAS_PAGE_SIZE) !== 0) {
    throw new UnsupportedFeature('pageSizes', offset);
  }
  const minimum = reader.unsigned();
  return { minimum, maximum: (flags & HAS_MAXIMUM) !== 0 ? reader.unsigned() : undefined };
}

/** `(i32, i32) -> (i64)`. */
export function signatureOf({ parameters, results }: FunctionType): string {
  return `(${parameters.join(', ')}) -> (${results.join(', ')})`;
}
