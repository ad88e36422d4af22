/** The body of a request on its way into a guest: what is there of it, then what comes. */
import { HatcheryError } from '../errors.js';
import type { ByteStream } from './message.js';

const NOTHING = new Uint8Array(0);

export class RequestBody {
  readonly #limit: number;
  readonly #rest: AsyncIterator<Uint8Array> | undefined;
  /** Not yet handed over. */
  #there: Uint8Array;
  #bytes: number;
  #reading = false;
  #ended: boolean;

  /**
   * @param given bytes of what is there that the guest has got already.
   * @param limit bytes that all of it may have.
   */
  constructor(there: Uint8Array, given: number, rest: ByteStream | undefined, limit: number) {
    this.#there = there.subarray(given);
    this.#bytes = there.length;
    this.#limit = limit;
    this.#rest = rest?.[Symbol.asyncIterator]();
    this.#ended = rest === undefined;
  }

  /** Bytes that there were so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The next bytes, at most `most`; none at the end.
   * @throws HatcheryError REQUEST_BODY_TOO_LARGE as soon as more has come; RESPONSE_INVALID for a
   *   second read while one is under way; what the client's side throws where it breaks off
   */
  read(most: number): Uint8Array | Promise<Uint8Array> {
    if (this.#reading) {
      throw new HatcheryError('RESPONSE_INVALID', {
        reason: 'it reads its request twice at a time',
      });
    }
    if (this.#there.length === 0 && !this.#ended) {
      return this.#readOn(most);
    }
    const chunk = this.#there.subarray(0, most);
    this.#there = this.#there.subarray(chunk.length);
    return chunk;
  }

  async #readOn(most: number): Promise<Uint8Array> {
    this.#reading = true;
    try {
      const { done, value } = await (this.#rest as AsyncIterator<Uint8Array>).next();
      if (done) {
        this.#ended = true;
        return NOTHING;
      }
      this.#bytes += value.length;
      if (this.#bytes > this.#limit) {
        throw new HatcheryError('REQUEST_BODY_TOO_LARGE', { limit: this.#limit });
      }
      this.#there = value;
    } finally {
      this.#reading = false;
    }
    return this.read(most);
  }

  /** Wants no more of it. */
  close(): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#rest?.return?.().catch(() => {});
    }
  }
}
