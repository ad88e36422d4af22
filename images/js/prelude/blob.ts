import { streamOf } from './byte-stream.js';
import type { ReadableStream } from './streams.js';

export type BlobPart = string | Blob | ArrayBuffer | ArrayBufferView;

/** A copy of what an ArrayBuffer or a view on one holds; undefined if the value is neither. */
export function copyBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  }
  return undefined;
}

export function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0] as Uint8Array;
  const result = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    result.set(chunk, offset);
    offset += chunk.length;
  }
  return result;
}

function checkType(type: unknown): string {
  const text = String(type ?? '');
  return /^[ -~]*$/.test(text) ? text.toLowerCase() : '';
}

/** A relative index as Blob.slice has it: negative ones count from the end. */
function clamp(index: number, size: number): number {
  const whole = Math.trunc(Number(index)) || 0;
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
}

let bytesOf: (blob: Blob) => Uint8Array;

/** The File API's Blob, with all of its bytes in memory. */
export class Blob {
  #bytes: Uint8Array;
  readonly #type: string;

  static {
    bytesOf = (blob) => blob.#bytes;
  }

  constructor(parts: Iterable<BlobPart> = [], options: { type?: string; endings?: string } = {}) {
    if (parts === null || typeof parts !== 'object' || !(Symbol.iterator in parts)) {
      throw new TypeError('Blob: the parts are not a sequence');
    }
    const chunks = [...parts].map(
      (part) =>
        (part instanceof Blob ? part.#bytes : copyBytes(part)) ??
        new TextEncoder().encode(String(part)),
    );
    this.#bytes = concatenate(chunks);
    this.#type = checkType(options?.type);
  }

  get size(): number {
    return this.#bytes.length;
  }

  get type(): string {
    return this.#type;
  }

  slice(start = 0, end = this.size, type = ''): Blob {
    const from = clamp(start, this.size);
    const blob = new Blob([], { type });
    blob.#bytes = this.#bytes.subarray(from, Math.max(clamp(end, this.size), from));
    return blob;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(this.#bytes);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes.slice().buffer as ArrayBuffer;
  }

  async bytes(): Promise<Uint8Array> {
    return this.#bytes.slice();
  }

  stream(): ReadableStream<Uint8Array> {
    return streamOf(this.#bytes.slice());
  }

  get [Symbol.toStringTag](): string {
    return 'Blob';
  }
}

interface FileOptions {
  type?: string;
  endings?: string;
  lastModified?: number;
}

export class File extends Blob {
  readonly name: string;
  readonly lastModified: number;

  constructor(...parameters: [Iterable<BlobPart>, name: string, options?: FileOptions]) {
    if (parameters.length < 2) throw new TypeError('File: the name is missing');
    const [parts, name, options] = parameters;
    super(parts, options);
    this.name = String(name).toWellFormed();
    this.lastModified = Math.trunc(options?.lastModified ?? Date.now());
  }

  override get [Symbol.toStringTag](): string {
    return 'File';
  }
}

export { bytesOf };
