import { networkError } from './call-errors.js';
import { startCall } from './calls.js';
import { host } from './host.js';
import { Source } from './source.js';

/** The one that the host holds now. */
let current: Incoming | undefined;

/** The id that READ knows the request's own body by. */
const OWN_BODY = 0;

/**
 * What the host holds of a request: head and body, until the next request comes (to an instance that
 * lives for several). Each function throws TypeError after that.
 */
export class Incoming extends Source {
  #head: string | undefined;

  /** @param head the header rows, for a request that is not the host's */
  constructor(head?: string) {
    super();
    this.#head = head;
    if (head === undefined) current = this;
  }

  /** The header rows: name, NUL, value, NUL and so on. */
  head(): string {
    this.#head ??= this.#host().headers();
    return this.#head;
  }

  override isWhole(): boolean {
    return !this.#host().bodyHasMore();
  }

  override text(): string | Promise<string> {
    return this.isWhole() ? host.bodyText() : super.text();
  }

  override bytes(): Uint8Array | Promise<Uint8Array> {
    return this.isWhole() ? host.bodyBytes() : super.bytes();
  }

  override chunk(): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.#host().bodyChunk() ?? (this.isWhole() ? undefined : this.#read());
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await startCall((id) => host.startRead(id, OWN_BODY)).answer;
      return bytes.length === 0 ? undefined : bytes;
    } catch (failure) {
      throw networkError(failure);
    }
  }

  /** The host drops the rest at the end of the request. */
  override cancel(): void {}

  #host(): typeof host {
    if (current !== this) throw new TypeError('the request is over');
    return host;
  }
}
