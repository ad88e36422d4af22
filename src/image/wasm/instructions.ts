/**
 * Passes over instructions with their immediates (core specification, 5.4), and finds those that the
 * translator does not know. It does not check types: that is `WebAssembly.validate`'s.
 */
import { type Feature, UnsupportedFeature } from './features.js';
import type { ByteReader } from './reader.js';
import { readBlockType, readValueType } from './types.js';

/**
 * `wasm2c` calls itself for each level of blocks: 20,000 of them end it by its stack. Go's compiler nests as
 * many blocks as a function has places to go on at: of its programs, large ones have 3,000.
 */
export const MAX_NESTING = 5_000;

type Immediate = (reader: ByteReader) => void;

const none: Immediate = () => {};
const index: Immediate = (reader) => {
  reader.unsigned();
};
const twoIndices: Immediate = (reader) => {
  reader.unsigned();
  reader.unsigned();
};
const memoryIndex: Immediate = (reader) => {
  const { offset } = reader;
  if (reader.unsigned() !== 0) {
    throw new UnsupportedFeature('multipleMemories', offset);
  }
};

/** In the alignment of an access: an index of a memory follows. */
const NAMES_MEMORY = 64;
const MAX_ALIGNMENT = 127;

const access: Immediate = (reader) => {
  const { offset } = reader;
  const alignment = reader.unsigned();
  if (alignment > MAX_ALIGNMENT) {
    reader.fail('an alignment is too large', offset);
  }
  if (alignment >= NAMES_MEMORY) {
    throw new UnsupportedFeature('multipleMemories', offset);
  }
  // Offsets of more than 32 bits are those of 64-bit memories.
  reader.unsigned();
};

const labels: Immediate = (reader) => {
  for (let left = reader.count(); left >= 0; left--) {
    reader.unsigned();
  }
};

const valueTypes: Immediate = (reader) => {
  for (let left = reader.count(); left > 0; left--) {
    readValueType(reader);
  }
};

const reference: Immediate = (reader) => {
  readValueType(reader);
};

const unsupported =
  (feature: Feature): Immediate =>
  (reader) => {
    throw new UnsupportedFeature(feature, reader.offset - 1);
  };

const BLOCK = 0x02;
const IF = 0x04;
const END = 0x0b;

const IMMEDIATES = new Map<number, Immediate>();

function define(first: number, last: number, immediate: Immediate): void {
  for (let opcode = first; opcode <= last; opcode++) {
    IMMEDIATES.set(opcode, immediate);
  }
}

define(0x00, 0x01, none); // unreachable, nop
define(BLOCK, IF, readBlockType);
define(0x05, 0x05, none); // else
define(0x06, 0x0a, unsupported('exceptions'));
define(END, END, none);
define(0x0c, 0x0d, index); // br, br_if
define(0x0e, 0x0e, labels); // br_table
define(0x0f, 0x0f, none); // return
define(0x10, 0x10, index); // call
define(0x11, 0x11, twoIndices); // call_indirect
define(0x12, 0x13, unsupported('tailCalls'));
define(0x14, 0x15, unsupported('functionReferences'));
define(0x18, 0x19, unsupported('exceptions')); // delegate, catch_all
define(0x1a, 0x1b, none); // drop, select
define(0x1c, 0x1c, valueTypes); // select with types
define(0x1f, 0x1f, unsupported('exceptions')); // try_table
define(0x20, 0x26, index); // locals, globals, tables
define(0x28, 0x3e, access);
define(0x3f, 0x40, memoryIndex); // memory.size, memory.grow
define(0x41, 0x41, (reader) => reader.skipNumber(32));
define(0x42, 0x42, (reader) => reader.skipNumber(64));
define(0x43, 0x43, (reader) => reader.skip(4));
define(0x44, 0x44, (reader) => reader.skip(8));
define(0x45, 0xc4, none); // numeric
define(0xd0, 0xd0, reference); // ref.null
define(0xd1, 0xd1, none); // ref.is_null
define(0xd2, 0xd2, index); // ref.func
define(0xd3, 0xd3, unsupported('garbageCollection')); // ref.eq
define(0xd4, 0xd6, unsupported('functionReferences'));
define(0xfb, 0xfb, unsupported('garbageCollection'));
define(0xfc, 0xfc, readNumbered);
define(0xfd, 0xfd, (reader) => {
  const offset = reader.offset - 1;
  throw new UnsupportedFeature(reader.unsigned() >= 0x100 ? 'relaxedSimd' : 'simd', offset);
});
define(0xfe, 0xfe, unsupported('threads'));

/** Behind 0xfc, by their numbers. */
const NUMBERED: readonly Immediate[] = [
  ...Array<Immediate>(8).fill(none), // saturating conversions
  (reader) => {
    reader.unsigned(); // memory.init
    memoryIndex(reader);
  },
  index, // data.drop
  (reader) => {
    memoryIndex(reader); // memory.copy
    memoryIndex(reader);
  },
  memoryIndex, // memory.fill
  twoIndices, // table.init
  index, // elem.drop
  twoIndices, // table.copy
  ...Array<Immediate>(3).fill(index), // table.grow, table.size, table.fill
];
const WIDE_ARITHMETIC = { first: 19, last: 22 };

function readNumbered(reader: ByteReader): void {
  const offset = reader.offset - 1;
  const number = reader.unsigned();
  if (number >= WIDE_ARITHMETIC.first && number <= WIDE_ARITHMETIC.last) {
    throw new UnsupportedFeature('wideArithmetic', offset);
  }
  const immediate = NUMBERED[number];
  if (immediate === undefined) {
    reader.fail(`there is no instruction 0xfc ${number}`, offset);
  }
  immediate(reader);
}

/**
 * Passes an expression, up to and with its `end`.
 * @param each is told each opcode and its offset; it may throw.
 * @throws MalformedModule, UnsupportedFeature
 */
export function readExpression(
  reader: ByteReader,
  each: (opcode: number, offset: number) => void = () => {},
): void {
  for (let depth = 1; depth > 0; ) {
    const { offset } = reader;
    const opcode = reader.byte();
    each(opcode, offset);
    const immediate = IMMEDIATES.get(opcode);
    if (immediate === undefined) {
      reader.fail(`0x${opcode.toString(16)} is not an instruction`, offset);
    }
    immediate(reader);
    if (opcode >= BLOCK && opcode <= IF) {
      depth += 1;
      if (depth > MAX_NESTING) {
        reader.fail(`blocks are nested more than ${MAX_NESTING} deep`, offset);
      }
    } else if (opcode === END) {
      depth -= 1;
    }
  }
}

/** Arithmetic in an expression that is evaluated before the module starts. */
const EXTENDED = [0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e];
const GLOBAL_GET = 0x23;

/**
 * Passes a constant expression.
 * @param importedGlobals how many there are: others cannot be named in one.
 * @throws MalformedModule, UnsupportedFeature
 */
export function readConstantExpression(reader: ByteReader, importedGlobals: number): void {
  readExpression(reader, (opcode, offset) => {
    if (EXTENDED.includes(opcode) || (opcode === GLOBAL_GET && importedGlobals === 0)) {
      throw new UnsupportedFeature('extendedConstants', offset);
    }
  });
}
