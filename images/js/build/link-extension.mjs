/**
 * Makes a side module ("dylink") translatable by wasm2c 1.0.32. Reads the module's text (wasm2wat
 * --enable-all) from standard input and writes the changed text to standard output.
 *
 *  - A function that the module both imports and exports (C++ templates that the main module was
 *    expected to offer) is called directly: wasm2c would link such an import to the main module.
 *  - All data go into one segment at __memory_base: wasm2c knows no extended constant expressions.
 */
import { readFileSync } from 'node:fs';

const text = readFileSync(0, 'utf8');

const exported = new Map();
for (const [, name, index] of text.matchAll(/^ {2}\(export "([^"]+)" \(func (\d+)\)\)/gm)) {
  exported.set(name, index);
}
const replaced = new Map();
const functionImport = /^ {2}\(import "([^"]+)" "([^"]+)" \(func \(;(\d+);\)/gm;
for (const [, module, name, index] of text.matchAll(functionImport)) {
  if (module === 'env' && exported.has(name)) replaced.set(index, exported.get(name));
}

const dataSegment =
  /^ {2}\(data \(;\d+;\) \(global\.get \d+(?:\s+i32\.const (\d+)\s+i32\.add)?\) "(.*)"\)(\)?)$/gm;
const segments = [...text.matchAll(dataSegment)].map(([, offset = '0', bytes]) => ({
  offset: Number(offset),
  bytes,
}));

/** How many bytes a string of the text format stands for (as wasm2wat writes them). */
function byteLength(literal) {
  return literal.replace(/\\([0-9a-f]{2}|.)/g, '.').length;
}

let data = '';
let length = 0;
for (const segment of segments) {
  data += '\\00'.repeat(segment.offset - length) + segment.bytes;
  length = segment.offset + byteLength(segment.bytes);
}

let isFirst = true;
process.stdout.write(
  text
    .replace(/\bcall (\d+)(?=\)*$)/gm, (call, index) =>
      replaced.has(index) ? `call ${replaced.get(index)}` : call,
    )
    .replace(dataSegment, (_all, _offset, _bytes, close) => {
      const merged = isFirst ? `  (data (;0;) (global.get 1) "${data}")` : '';
      isFirst = false;
      return merged + close;
    }),
);
