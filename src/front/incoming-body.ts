/** The body of a request as it comes from a client. */
import type { IncomingMessage } from 'node:http';
import type { ByteStream } from '../fabric/message.js';
import { invalid } from './target.js';

/** So much is waited for before a request is handed over, in bytes. */
const BEGINNING_BYTES = 64 * 1024;
/** And so long: who sends a small body slowly should not hold an instance from the first byte on. */
const BEGINNING_MILLISECONDS = 100;

interface Reader {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: unknown): void;
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** Reads no more from the client than one chunk ahead of its one reader. */
export class IncomingBody implements ByteStream, AsyncIterator<Uint8Array> {
  readonly #raw: IncomingMessage;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isComplete = false;
  #isUnwanted = false;
  #error: unknown;
  #begun: (() => void) | undefined;
  #reader: Reader | undefined;

  /** Nobody else may read `raw`. */
  constructor(raw: IncomingMessage) {
    this.#raw = raw;
    raw.on('data', (chunk: Buffer) => this.#take(chunk));
    raw.once('end', () => this.#end());
    const broken = () => this.fail(invalid('The body of the request is incomplete'));
    raw.once('error', broken);
    raw.once('close', broken);
  }

  /** All of it has come. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Resolves to what is there when it is complete, or is much, or has been waited for long enough.
   * What comes later is to be iterated over.
   * @throws HatcheryError INVALID_ARGUMENT where it breaks off
   */
  async beginning(): Promise<Buffer> {
    if (!this.#isComplete && this.#error === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, BEGINNING_MILLISECONDS);
        this.#begun = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#begun = undefined;
    }
    if (this.#error !== undefined) {
      throw this.#error;
    }
    if (!this.#isComplete) {
      this.#raw.pause();
    }
    const there = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return there as Buffer;
  }

  #take(chunk: Buffer): void {
    if (this.#isUnwanted) {
      return;
    }
    if (this.#reader !== undefined) {
      this.#raw.pause();
      this.#reader.resolve({ done: false, value: chunk });
      this.#reader = undefined;
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= BEGINNING_BYTES) {
      this.#raw.pause();
      this.#begun?.();
    }
  }

  #end(): void {
    this.#isComplete = true;
    this.#begun?.();
    this.#reader?.resolve(END);
    this.#reader = undefined;
  }

  /** It breaks off. Does nothing after its end. */
  fail(error: unknown): void {
    if (!this.#isComplete && this.#error === undefined) {
      this.#error = error;
      this.#begun?.();
      this.#reader?.reject(error);
      this.#reader = undefined;
    }
  }

  /** Reads what still comes, for nobody: the client could else not see its answer. */
  discard(): void {
    this.fail(invalid('The body of the request was not read before the end of the response'));
    this.#isUnwanted = true;
    this.#chunks = [];
    this.#raw.resume();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== undefined) {
      return Promise.reject(this.#error);
    }
    if (this.#isComplete || this.#isUnwanted) {
      return Promise.resolve(END);
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#raw.resume();
    });
  }

  /** Wants no more; what still comes stays with the client until the answer is sent. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#isUnwanted = true;
    this.#chunks = [];
    this.#reader?.resolve(END);
    this.#reader = undefined;
    this.#raw.pause();
    return Promise.resolve(END);
  }
}
