/** Bodies of completed fetches, as long as a guest may READ them. */
import { HatcheryError } from '../../errors.js';
import type { ByteStream } from '../message.js';

interface OpenBody {
  readonly iterator: AsyncIterator<Uint8Array>;
  /** Read, and more than the guest could take at once. */
  left: Uint8Array;
  reading: boolean;
}

const NOTHING = new Uint8Array(0);

export class OpenBodies {
  readonly #most: number;
  readonly #bodies = new Map<number, OpenBody>();

  /** @param most how many are kept; the one that was opened first goes when there is one more. */
  constructor(most: number) {
    this.#most = most;
  }

  has(call: number): boolean {
    return this.#bodies.has(call);
  }

  add(call: number, body: ByteStream): void {
    const [oldest] = this.#bodies.keys();
    if (this.#bodies.size >= this.#most && oldest !== undefined) {
      this.discard(oldest);
    }
    this.#bodies.set(call, {
      iterator: body[Symbol.asyncIterator](),
      left: NOTHING,
      reading: false,
    });
  }

  /**
   * The next bytes, at most `most`; none at the end.
   * @throws HatcheryError FETCH_FAILED where there is no such body, or what reading it throws
   */
  async read(call: number, most: number): Promise<Uint8Array> {
    const body = this.#bodies.get(call);
    if (body === undefined || body.reading) {
      const reason = body === undefined ? 'its body was dropped' : 'its body is being read already';
      throw new HatcheryError('FETCH_FAILED', { target: `call ${call}`, reason });
    }
    if (body.left.length === 0) {
      await this.#fill(call, body);
    }
    const chunk = body.left.subarray(0, most);
    body.left = body.left.subarray(chunk.length);
    return chunk;
  }

  async #fill(call: number, body: OpenBody): Promise<void> {
    body.reading = true;
    try {
      while (body.left.length === 0) {
        const { done, value } = await body.iterator.next();
        if (done) {
          this.#bodies.delete(call);
          return;
        }
        body.left = value;
      }
    } catch (error) {
      this.#bodies.delete(call);
      throw error;
    } finally {
      body.reading = false;
    }
  }

  discard(call: number): void {
    const body = this.#bodies.get(call);
    this.#bodies.delete(call);
    if (body !== undefined) {
      end(body.iterator);
    }
  }

  close(): void {
    for (const call of this.#bodies.keys()) {
      this.discard(call);
    }
  }

  /** For one that was never opened. */
  static discard(body: ByteStream): void {
    end(body[Symbol.asyncIterator]());
  }
}

function end(iterator: AsyncIterator<Uint8Array>): void {
  iterator.return?.().catch(() => {});
}
