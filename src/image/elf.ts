/**
 * Reads an image: a static ELF64 executable as `images/abi/hatchery.h` demands (IMAGE). The file may
 * come from anywhere, so every offset and length is checked before it is used.
 */

import {
  ABI_VERSION,
  IMAGE_ADDRESS,
  IMAGE_END,
  NOTE_ABI,
  NOTE_UNCONFIGURED,
  PAGE_BYTES,
  PLATFORM_ADDRESS,
} from '../abi.js';
import type { ImageSegment, LoadableImage } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';

/** An image, and the names of its functions for crash reports. */
export interface ParsedImage extends LoadableImage {
  readonly file: Uint8Array;
  /** `name+0x12` for an address inside a function that the image has a symbol for. */
  symbolAt(address: number): string | undefined;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

const TYPE_EXECUTABLE = 2;
const MACHINE_X86_64 = 62;
const SEGMENT_LOAD = 1;
const SEGMENT_DYNAMIC = 2;
const SEGMENT_INTERPRETER = 3;
const SEGMENT_NOTE = 4;
const SECTION_SYMBOLS = 2;
const SYMBOL_FUNCTION = 2;

const NOTE_NAME = 'Hatchery\0';
const NOTE_HEADER_BYTES = 12;

interface FunctionSymbol {
  readonly address: number;
  readonly size: number;
  readonly name: string;
}

/**
 * @param name how errors call the image
 * @throws HatcheryError IMAGE_INVALID
 */
export function parseElf(bytes: Uint8Array, name = 'image'): ParsedImage {
  return new ElfReader(bytes, name).parse();
}

class ElfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #name: string;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#name = name;
  }

  parse(): ParsedImage {
    this.#checkHeader();
    const segments: ImageSegment[] = [];
    const notes = new Map<number, Uint8Array>();
    const headers = this.#integer(32);
    const count = this.#view.getUint16(56, true);
    for (let index = 0; index < count; index++) {
      const header = headers + index * PROGRAM_HEADER_BYTES;
      this.#slice(header, PROGRAM_HEADER_BYTES);
      const type = this.#view.getUint32(header, true);
      if (type === SEGMENT_LOAD && this.#integer(header + 40) > 0 && !this.#isPlatforms(header)) {
        segments.push(this.#segment(header));
      } else if (type === SEGMENT_NOTE) {
        this.#addNotes(header, notes);
      } else if (type === SEGMENT_DYNAMIC || type === SEGMENT_INTERPRETER) {
        this.#refuse('it is linked dynamically');
      }
    }
    const abiNote = notes.get(NOTE_ABI);
    const abiVersion = abiNote?.length === 4 ? Buffer.from(abiNote).readUInt32LE() : undefined;
    if (abiVersion !== ABI_VERSION) {
      const found = abiVersion === undefined ? 'no ABI note' : `ABI version ${abiVersion}`;
      this.#refuse(`it has ${found}, this host speaks ABI version ${ABI_VERSION}`);
    }
    this.#checkPages(segments);
    const entry = this.#integer(24);
    const holdsEntry = (segment: ImageSegment) =>
      segment.executable && entry >= segment.address && entry < segment.address + segment.size;
    if (!segments.some(holdsEntry)) {
      this.#refuse('its entry point is not in executable memory');
    }
    const symbols = this.#symbols();
    return {
      entry,
      segments,
      file: this.#bytes,
      startsUnconfigured: notes.has(NOTE_UNCONFIGURED),
      symbolAt: (address) => nameOf(symbols, address),
    };
  }

  #checkHeader(): void {
    const magic = this.#slice(0, HEADER_BYTES).subarray(0, 6);
    // 0x7f ELF, 64-bit, little endian.
    if (Buffer.compare(magic, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1])) !== 0) {
      this.#refuse('it is not an ELF file for a 64-bit little-endian machine');
    }
    const isExecutable =
      this.#view.getUint16(16, true) === TYPE_EXECUTABLE &&
      this.#view.getUint16(18, true) === MACHINE_X86_64 &&
      this.#view.getUint16(54, true) === PROGRAM_HEADER_BYTES;
    if (!isExecutable) {
      this.#refuse('it is not a position-dependent x86-64 executable');
    }
  }

  /** Whether the segment is a platform's own way to start the file, and not to be loaded. */
  #isPlatforms(header: number): boolean {
    return this.#view.getBigUint64(header + 16, true) >= PLATFORM_ADDRESS;
  }

  #segment(header: number): ImageSegment {
    const flags = this.#view.getUint32(header + 4, true);
    const fileBytes = this.#integer(header + 32);
    const segment = {
      address: this.#integer(header + 16),
      size: this.#integer(header + 40),
      bytes: this.#slice(this.#integer(header + 8), fileBytes),
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
    };
    if (fileBytes > segment.size) {
      this.#refuse('a segment is smaller in memory than in the file');
    }
    if (segment.address < IMAGE_ADDRESS || segment.address + segment.size > IMAGE_END) {
      this.#refuse('a segment lies outside the image range of the ABI');
    }
    if (segment.writable && segment.executable) {
      this.#refuse('a segment is both writable and executable');
    }
    return segment;
  }

  #checkPages(segments: readonly ImageSegment[]): void {
    if (segments.length === 0) {
      this.#refuse('it has nothing to load');
    }
    const inOrder = [...segments].sort((a, b) => a.address - b.address);
    let pagesUsedUpTo = 0;
    for (const { address, size } of inOrder) {
      if (Math.floor(address / PAGE_BYTES) < pagesUsedUpTo) {
        this.#refuse('two segments share a page');
      }
      pagesUsedUpTo = Math.ceil((address + size) / PAGE_BYTES);
    }
  }

  /** Adds the descriptions of a segment's notes by their types; only those with the ABI's name. */
  #addNotes(header: number, notes: Map<number, Uint8Array>): void {
    const segment = this.#slice(this.#integer(header + 8), this.#integer(header + 32));
    const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
    for (let at = 0; at + NOTE_HEADER_BYTES <= segment.length; ) {
      const nameBytes = view.getUint32(at, true);
      const descriptionBytes = view.getUint32(at + 4, true);
      const name = at + NOTE_HEADER_BYTES;
      const description = name + padded(nameBytes);
      const end = description + descriptionBytes;
      if (end > segment.length) {
        return;
      }
      if (Buffer.from(segment.subarray(name, name + nameBytes)).toString('latin1') === NOTE_NAME) {
        const type = view.getUint32(at + 8, true);
        if (!notes.has(type)) {
          notes.set(type, segment.subarray(description, end));
        }
      }
      at = description + padded(descriptionBytes);
    }
  }

  /** An image may be stripped; then it has no symbols. */
  #symbols(): FunctionSymbol[] {
    const headers = this.#integer(40);
    const count = this.#view.getUint16(60, true);
    for (let index = 0; index < count; index++) {
      const header = headers + index * SECTION_HEADER_BYTES;
      this.#slice(header, SECTION_HEADER_BYTES);
      if (this.#view.getUint32(header + 4, true) === SECTION_SYMBOLS) {
        const names = headers + this.#view.getUint32(header + 40, true) * SECTION_HEADER_BYTES;
        this.#slice(names, SECTION_HEADER_BYTES);
        return this.#functions(this.#section(header), this.#section(names));
      }
    }
    return [];
  }

  #section(header: number): Uint8Array {
    return this.#slice(this.#integer(header + 24), this.#integer(header + 32));
  }

  #functions(table: Uint8Array, names: Uint8Array): FunctionSymbol[] {
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    const functions: FunctionSymbol[] = [];
    for (let at = 0; at + SYMBOL_BYTES <= table.length; at += SYMBOL_BYTES) {
      if ((view.getUint8(at + 4) & 0xf) === SYMBOL_FUNCTION) {
        const start = view.getUint32(at, true);
        const end = names.indexOf(0, start);
        functions.push({
          address: Number(view.getBigUint64(at + 8, true)),
          size: Number(view.getBigUint64(at + 16, true)),
          name: Buffer.from(names.subarray(start, end < 0 ? names.length : end)).toString('latin1'),
        });
      }
    }
    return functions.sort((a, b) => a.address - b.address);
  }

  /** A 64-bit field. What does not fit a double is refused: no valid image has it. */
  #integer(offset: number): number {
    this.#slice(offset, 8);
    const value = this.#view.getBigUint64(offset, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.#refuse('an offset or an address is out of range');
    }
    return Number(value);
  }

  #slice(offset: number, length: number): Uint8Array {
    if (offset + length > this.#bytes.length) {
      this.#refuse('it is truncated');
    }
    return this.#bytes.subarray(offset, offset + length);
  }

  #refuse(reason: string): never {
    throw new HatcheryError('IMAGE_INVALID', { image: this.#name, reason });
  }
}

/** Names and descriptions of notes are padded to 4 bytes. */
function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function nameOf(symbols: readonly FunctionSymbol[], address: number): string | undefined {
  let low = 0;
  let high = symbols.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const symbol = symbols[middle];
    if (symbol !== undefined && symbol.address <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const symbol = symbols[low - 1];
  if (symbol === undefined || address >= symbol.address + Math.max(symbol.size, 1)) {
    return undefined;
  }
  const offset = address - symbol.address;
  return offset === 0 ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
}
