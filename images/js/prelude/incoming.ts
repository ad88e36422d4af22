import { host } from './host.js';

/** The one that the host holds now. */
let current: Incoming | undefined;

/**
 * What the host holds of a request: head and body, until the next request comes (to an instance that
 * lives for several). Each function throws TypeError after that.
 */
export class Incoming {
  #head: string | undefined;

  /** @param head the header rows, for a request that is not the host's */
  constructor(head?: string) {
    this.#head = head;
    if (head === undefined) current = this;
  }

  /** The header rows: name, NUL, value, NUL and so on. */
  head(): string {
    this.#head ??= this.#host().headers();
    return this.#head;
  }

  /** The rest of the body, decoded. */
  text(): string {
    return this.#bodyHost().bodyText();
  }

  bytes(): Uint8Array {
    return this.#bodyHost().bodyBytes();
  }

  /** The next bytes; undefined at the end. */
  chunk(): Uint8Array | undefined {
    return this.#bodyHost().bodyChunk();
  }

  #host(): typeof host {
    if (current !== this) throw new TypeError('the request is over');
    return host;
  }

  /** The host gives the head only before the body. */
  #bodyHost(): typeof host {
    const holder = this.#host();
    this.head();
    return holder;
  }
}
