/** The body of a response that reaches the client chunk by chunk, as the guest makes them. */
import type { ByteStream } from './message.js';

interface Reader {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: unknown): void;
}

const END: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** One writer, one reader; the writer is told when the reader has taken what there is. */
export class ResponseStream implements ByteStream, AsyncIterator<Uint8Array> {
  readonly #onReturn: () => void;
  #chunk: Uint8Array | undefined;
  #taken: (() => void) | undefined;
  #reader: Reader | undefined;
  #outcome: { readonly error?: unknown } | undefined;

  /** @param onReturn the reader wants no more, before the end. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  /** Resolves when the chunk is taken; the next is to be written only then. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#reader !== undefined) {
      this.#reader.resolve({ done: false, value: chunk });
      this.#reader = undefined;
      return undefined;
    }
    this.#chunk = chunk;
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  end(): void {
    this.#settle({});
  }

  /** The body breaks off; what was written before is still read. */
  fail(error: unknown): void {
    this.#settle({ error });
  }

  #settle(outcome: { readonly error?: unknown }): void {
    if (this.#outcome !== undefined) {
      return;
    }
    this.#outcome = outcome;
    const reader = this.#reader;
    this.#reader = undefined;
    if (outcome.error === undefined) {
      reader?.resolve(END);
    } else {
      reader?.reject(outcome.error);
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunk;
    if (chunk !== undefined) {
      this.#chunk = undefined;
      this.#taken?.();
      this.#taken = undefined;
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#outcome !== undefined) {
      const { error } = this.#outcome;
      return error === undefined ? Promise.resolve(END) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#chunk = undefined;
    this.#taken?.();
    this.#taken = undefined;
    if (this.#outcome === undefined) {
      this.#outcome = {};
      this.#onReturn();
    }
    return Promise.resolve(END);
  }
}
