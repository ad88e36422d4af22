/** Reads bytes of a WebAssembly binary, none beyond its end. The bytes may come from anybody. */

/** The bytes are no module; where, and why. */
export class MalformedModule extends Error {
  override readonly name = 'MalformedModule';

  /** @param offset in the file */
  constructor(
    readonly offset: number,
    readonly reason: string,
  ) {
    super(`at offset 0x${offset.toString(16)}: ${reason}`);
  }
}

const CONTINUES = 0x80;
const PAYLOAD_BITS = 7;

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads `bytes` from `start` up to `end`, both offsets in the file. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** The offset in the file of what is read next. */
  get offset(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** @throws MalformedModule */
  fail(reason: string, offset = this.#at): never {
    throw new MalformedModule(offset, reason);
  }

  /** @throws MalformedModule at the end */
  byte(): number {
    const value = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (value === undefined) {
      this.fail('it ends too early');
    }
    this.#at += 1;
    return value;
  }

  /** An unsigned LEB128 of up to 32 bits. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += PAYLOAD_BITS) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) {
        this.fail('a number is too large', this.#at - 1);
      }
      value += (byte % CONTINUES) * 2 ** shift;
      if (byte < CONTINUES) {
        return value;
      }
    }
  }

  /** Passes a LEB128 of up to `bits` bits; its value does not matter. */
  skipNumber(bits: 32 | 64): void {
    const longest = Math.ceil(bits / PAYLOAD_BITS);
    for (let length = 1; this.byte() >= CONTINUES; length++) {
      if (length === longest) {
        this.fail('a number is too long', this.#at - 1);
      }
    }
  }

  skip(count: number): void {
    this.part(count);
  }

  /** The next `count` bytes, as a reader of their own; this one goes on behind them. */
  part(count: number): ByteReader {
    if (count > this.#end - this.#at) {
      this.fail('it ends too early');
    }
    const part = new ByteReader(this.#bytes, this.#at, this.#at + count);
    this.#at += count;
    return part;
  }

  /** A name: its length, and UTF-8. */
  text(): string {
    const length = this.unsigned();
    const start = this.#at;
    this.skip(length);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.#bytes.subarray(start, start + length),
      );
    } catch {
      return this.fail('a name is not UTF-8', start);
    }
  }

  /** How many elements follow, each of at least `smallest` bytes, so that no count is believed. */
  count(smallest = 1): number {
    const offset = this.#at;
    const count = this.unsigned();
    if (count * smallest > this.#end - this.#at) {
      this.fail('there are more elements than bytes', offset);
    }
    return count;
  }
}
