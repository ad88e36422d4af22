/**
 * Reads what an image has to know of a WebAssembly module: what it imports and exports, its memory, and
 * which features it uses that the translator lacks. The module may come from anybody, so it is read
 * within its bounds; that it is valid is for `WebAssembly.validate` to say.
 */
import { type FeatureUse, UnsupportedFeature } from './features.js';
import { readConstantExpression, readExpression } from './instructions.js';
import { readFunctionNames } from './names.js';
import { ByteReader, MalformedModule } from './reader.js';
import {
  type FunctionType,
  type Limits,
  readFunctionType,
  readLimits,
  readValueType,
} from './types.js';

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  /** Of a function. */
  readonly type?: FunctionType;
}

export interface Export {
  readonly name: string;
  readonly kind: Import['kind'];
  /** Of a function whose type the module has. */
  readonly type?: FunctionType;
}

export interface ModuleFacts {
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  readonly memory: Limits | undefined;
  /** The first use of each feature that cannot be translated, by where it is. */
  readonly unsupported: readonly FeatureUse[];
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [1, 0, 0, 0];
const COMPONENT = [0x0d, 0, 1, 0];

const KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const;

const SECTION = {
  ...{ custom: 0, type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7 },
  ...{ start: 8, elements: 9, code: 10, data: 11, dataCount: 12, tag: 13 },
} as const;
/** In which order sections must come. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** @throws MalformedModule */
export function readModule(bytes: Uint8Array): ModuleFacts {
  return new ModuleReader(bytes).read();
}

class ModuleReader {
  readonly #bytes: Uint8Array;
  /** `undefined` where one could not be read, as it has types that are not translated. */
  readonly #types: (FunctionType | undefined)[] = [];
  /** Indices of types, imported functions first. */
  readonly #functions: number[] = [];
  readonly #imports: Import[] = [];
  readonly #exports: { name: string; kind: Import['kind']; index: number }[] = [];
  readonly #memories: Limits[] = [];
  readonly #unsupported: FeatureUse[] = [];
  #importedFunctions = 0;
  #importedGlobals = 0;
  #names: ReadonlyMap<number, string> = new Map();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(): ModuleFacts {
    try {
      this.#readSections();
    } catch (error) {
      // What follows something that is not known may look like anything.
      if (!(error instanceof MalformedModule) || this.#unsupported.length === 0) {
        throw error;
      }
    }
    const named = new Map(this.#names);
    for (const { name, kind, index } of this.#exports) {
      if (kind === 'function' && !named.has(index)) named.set(index, name);
    }
    return {
      imports: this.#imports,
      exports: this.#exports.map(({ name, kind, index }) => {
        const type = kind === 'function' ? this.#types[this.#functions[index] ?? -1] : undefined;
        return type === undefined ? { name, kind } : { name, kind, type };
      }),
      memory: this.#memories[0],
      unsupported: this.#unsupported.map((use) => {
        const name = use.function === undefined ? undefined : named.get(use.function);
        return name === undefined ? use : { ...use, name };
      }),
    };
  }

  #readSections(): void {
    const reader = new ByteReader(this.#bytes);
    const header = Array.from({ length: 8 }, () => reader.byte());
    if (!MAGIC.every((byte, at) => header[at] === byte)) {
      reader.fail('it does not begin as a WebAssembly binary', 0);
    }
    if (COMPONENT.every((byte, at) => header[4 + at] === byte)) {
      reader.fail(
        'it is a component, not a module; build it for WASI preview 1 (rustc --target wasm32-wasip1)',
        4,
      );
    }
    if (!VERSION.every((byte, at) => header[4 + at] === byte)) {
      reader.fail('it has an unknown version', 4);
    }
    let last = -1;
    while (!reader.isAtEnd) {
      const { offset } = reader;
      const id = reader.byte();
      const content = reader.part(reader.unsigned());
      if (id === SECTION.custom) {
        this.#readCustom(content);
        continue;
      }
      const place = ORDER.indexOf(id);
      if (place < 0) {
        reader.fail(`there is no section ${id}`, offset);
      }
      if (place <= last) {
        reader.fail(`the section ${id} is at the wrong place`, offset);
      }
      last = place;
      this.#readSection(id, content);
    }
  }

  #readSection(id: number, reader: ByteReader): void {
    switch (id) {
      case SECTION.type:
        this.#each(reader, () => this.#noting(() => this.#readType(reader)));
        break;
      case SECTION.import:
        this.#each(reader, () => this.#noting(() => this.#readImport(reader)));
        break;
      case SECTION.function:
        this.#each(reader, () => this.#functions.push(reader.unsigned()));
        break;
      case SECTION.table:
        this.#noting(() => this.#each(reader, () => this.#readTable(reader)));
        break;
      case SECTION.memory:
        this.#noting(() => this.#each(reader, () => this.#addMemory(reader)));
        break;
      case SECTION.tag:
        this.#note({ feature: 'exceptions', offset: reader.offset });
        break;
      case SECTION.global:
        this.#noting(() => this.#each(reader, () => this.#readGlobal(reader)));
        break;
      case SECTION.export:
        this.#each(reader, () => this.#readExport(reader));
        break;
      case SECTION.elements:
        this.#noting(() => this.#each(reader, () => this.#readElements(reader)));
        break;
      case SECTION.data:
        this.#noting(() => this.#each(reader, () => this.#readData(reader)));
        break;
      case SECTION.code:
        this.#readCode(reader);
        break;
      default:
      // The start function and the count of data segments are indices.
    }
  }

  #each(reader: ByteReader, read: () => void): void {
    for (let left = reader.count(); left > 0; left--) {
      read();
    }
    if (!reader.isAtEnd) {
      reader.fail('a section is longer than what is in it');
    }
  }

  /** Goes on behind a feature that is not known, where something else begins. */
  #noting(read: () => void, inFunction?: number): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof UnsupportedFeature)) {
        throw error;
      }
      const { feature, offset } = error;
      this.#note({
        feature,
        offset,
        ...(inFunction === undefined ? {} : { function: inFunction }),
      });
    }
  }

  #note(use: FeatureUse): void {
    // A use in a function says more than that of a type.
    const known = this.#unsupported.findIndex(({ feature }) => feature === use.feature);
    if (known < 0) {
      this.#unsupported.push(use);
    } else if (this.#unsupported[known]?.function === undefined && use.function !== undefined) {
      this.#unsupported[known] = use;
    }
  }

  #readType(reader: ByteReader): void {
    const index = this.#types.push(undefined) - 1;
    this.#types[index] = readFunctionType(reader);
  }

  #readImport(reader: ByteReader): void {
    const module = reader.text();
    const name = reader.text();
    const { offset } = reader;
    const kind = KINDS[reader.byte()] ?? reader.fail('an import of an unknown kind', offset);
    switch (kind) {
      case 'function': {
        const index = reader.unsigned();
        this.#functions.push(index);
        this.#importedFunctions += 1;
        const type = this.#types[index];
        this.#imports.push({ module, name, kind, ...(type === undefined ? {} : { type }) });
        return;
      }
      case 'table':
        readValueType(reader);
        readLimits(reader);
        break;
      case 'memory':
        this.#addMemory(reader);
        break;
      case 'global':
        readValueType(reader);
        reader.byte();
        this.#importedGlobals += 1;
        break;
      case 'tag':
        throw new UnsupportedFeature('exceptions', offset);
    }
    this.#imports.push({ module, name, kind });
  }

  #readTable(reader: ByteReader): void {
    const { offset } = reader;
    if (reader.byte() === 0x40) {
      // A table with an expression that its elements start with.
      throw new UnsupportedFeature('functionReferences', offset);
    }
    readValueType(new ByteReader(this.#bytes, offset, reader.offset));
    readLimits(reader);
  }

  #addMemory(reader: ByteReader): void {
    const { offset } = reader;
    this.#memories.push(readLimits(reader));
    if (this.#memories.length > 1) {
      throw new UnsupportedFeature('multipleMemories', offset);
    }
  }

  #readGlobal(reader: ByteReader): void {
    readValueType(reader);
    reader.byte();
    readConstantExpression(reader, this.#importedGlobals);
  }

  #readExport(reader: ByteReader): void {
    const name = reader.text();
    const { offset } = reader;
    const kind = KINDS[reader.byte()] ?? reader.fail('an export of an unknown kind', offset);
    this.#exports.push({ name, kind, index: reader.unsigned() });
  }

  /** The flags say what a segment of elements has: 1 not active, 2 a table or declared, 4 expressions. */
  #readElements(reader: ByteReader): void {
    const { offset } = reader;
    const flags = reader.unsigned();
    if (flags > 7) {
      reader.fail('unknown flags of elements', offset);
    }
    const isActive = (flags & 1) === 0;
    if (isActive) {
      if ((flags & 2) !== 0) reader.unsigned();
      readConstantExpression(reader, this.#importedGlobals);
    }
    const hasExpressions = (flags & 4) !== 0;
    if ((flags & 3) !== 0) {
      if (hasExpressions) readValueType(reader);
      else reader.byte();
    }
    for (let left = reader.count(); left > 0; left--) {
      if (hasExpressions) readConstantExpression(reader, this.#importedGlobals);
      else reader.unsigned();
    }
  }

  #readData(reader: ByteReader): void {
    const { offset } = reader;
    const flags = reader.unsigned();
    if (flags > 2) {
      reader.fail('unknown flags of data', offset);
    }
    if (flags === 2 && reader.unsigned() !== 0) {
      throw new UnsupportedFeature('multipleMemories', offset);
    }
    if (flags !== 1) {
      readConstantExpression(reader, this.#importedGlobals);
    }
    reader.skip(reader.unsigned());
  }

  #readCode(reader: ByteReader): void {
    let index = this.#importedFunctions;
    this.#each(reader, () => {
      const body = reader.part(reader.unsigned());
      this.#noting(() => readBody(body), index);
      index += 1;
    });
  }

  /** The section of names, which debuggers use; where it is broken, functions have no names. */
  #readCustom(reader: ByteReader): void {
    if (reader.text() !== 'name') {
      return;
    }
    try {
      this.#names = readFunctionNames(reader);
    } catch (error) {
      if (!(error instanceof MalformedModule)) {
        throw error;
      }
    }
  }
}

function readBody(reader: ByteReader): void {
  for (let left = reader.count(); left > 0; left--) {
    reader.unsigned();
    readValueType(reader);
  }
  readExpression(reader);
  if (!reader.isAtEnd) {
    reader.fail('a function is longer than its code');
  }
}
