/** A response as it comes out of a guest: a frame, then pieces of its body. */
import {
  decodeResponse,
  RESPONSE_BACKGROUND,
  RESPONSE_ERROR,
  RESPONSE_MORE,
  type ResponseFrame,
} from '../channel.js';
import { HatcheryError } from '../errors.js';

/** A response that is complete. */
export interface CompleteResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The user's code failed: the body is an error report. */
  readonly isErrorReport: boolean;
}

export class IncomingResponse {
  readonly #limit: number;
  #frame: ResponseFrame | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #complete: CompleteResponse | undefined;

  /** @param limit largest body, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `undefined` as long as something is missing. */
  get complete(): CompleteResponse | undefined {
    return this.#complete;
  }

  /** The guest goes on after the response. */
  get hasBackground(): boolean {
    return this.#frame !== undefined && (this.#frame.flags & RESPONSE_BACKGROUND) !== 0;
  }

  /**
   * Takes what a RESPOND brought.
   * @throws HatcheryError RESPONSE_INVALID, RESPONSE_BODY_TOO_LARGE
   */
  begin(payload: Uint8Array): void {
    if (this.#frame !== undefined) {
      throw new HatcheryError('RESPONSE_INVALID', { reason: 'it began twice' });
    }
    this.#frame = decodeResponse(payload);
    this.#add(this.#frame.body);
    if ((this.#frame.flags & RESPONSE_MORE) === 0) {
      this.#finish(this.#frame);
    }
  }

  /**
   * Takes what a PUSH brought: a piece of the body, or nothing at its end.
   * @throws HatcheryError RESPONSE_INVALID, RESPONSE_BODY_TOO_LARGE
   */
  push(payload: Uint8Array): void {
    if (this.#frame === undefined || this.#complete !== undefined) {
      throw new HatcheryError('RESPONSE_INVALID', {
        reason: 'a piece of its body is out of place',
      });
    }
    if (payload.length > 0) {
      this.#add(payload);
    } else {
      this.#finish(this.#frame);
    }
  }

  #add(piece: Uint8Array): void {
    this.#bytes += piece.length;
    if (this.#bytes > this.#limit) {
      throw new HatcheryError('RESPONSE_BODY_TOO_LARGE', { limit: this.#limit });
    }
    // The driver uses its memory again.
    this.#pieces.push(Buffer.from(piece));
  }

  #finish({ status, headers, flags }: ResponseFrame): void {
    const [first] = this.#pieces;
    const body =
      first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#complete = { status, headers, body, isErrorReport: (flags & RESPONSE_ERROR) !== 0 };
  }
}
