/** A response as it comes out of a guest: a frame, then pieces of its body. */
import {
  decodeResponse,
  type HeadLimits,
  RESPONSE_BACKGROUND,
  RESPONSE_ERROR,
  RESPONSE_MORE,
  RESPONSE_STREAM,
  type ResponseFrame,
} from '../channel.js';
import { HatcheryError } from '../errors.js';
import type { Limits } from './limits.js';
import { ResponseStream } from './response-stream.js';

/** What of a response can be handed on: all of it, or its head and a stream. */
export interface AvailableResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer | ResponseStream;
  /** The user's code failed: the body is an error report. */
  readonly isErrorReport: boolean;
}

export class IncomingResponse {
  readonly #headLimits: HeadLimits;
  readonly #bodyLimit: number;
  readonly #onReturn: () => void;
  #frame: ResponseFrame | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #stream: ResponseStream | undefined;
  #available: AvailableResponse | undefined;
  #isComplete = false;

  /** @param onReturn whoever reads a streamed body wants no more of it. */
  constructor(limits: Limits, onReturn: () => void) {
    this.#headLimits = { bytes: limits.maxResponseHeadBytes, headers: limits.maxHeaders };
    this.#bodyLimit = limits.maxResponseBodyBytes;
    this.#onReturn = onReturn;
  }

  /** `undefined` as long as there is nothing to hand on. */
  get available(): AvailableResponse | undefined {
    return this.#available;
  }

  /** The guest has said all of it. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Bytes of its body so far; of an error report none. */
  get bodyBytes(): number {
    return this.#frame === undefined || (this.#frame.flags & RESPONSE_ERROR) !== 0
      ? 0
      : this.#bytes;
  }

  /** The guest goes on after the response. */
  get hasBackground(): boolean {
    return this.#frame !== undefined && (this.#frame.flags & RESPONSE_BACKGROUND) !== 0;
  }

  /**
   * Takes what a RESPOND brought.
   * @returns where the guest is to sleep until the client has taken it: until when.
   * @throws HatcheryError RESPONSE_INVALID, RESPONSE_HEAD_TOO_LARGE, RESPONSE_BODY_TOO_LARGE
   */
  begin(payload: Uint8Array): Promise<void> | undefined {
    if (this.#frame !== undefined) {
      throw new HatcheryError('RESPONSE_INVALID', { reason: 'it began twice' });
    }
    const frame = decodeResponse(payload, this.#headLimits);
    this.#frame = frame;
    const goesOn = (frame.flags & RESPONSE_MORE) !== 0;
    if (goesOn && (frame.flags & (RESPONSE_STREAM | RESPONSE_ERROR)) === RESPONSE_STREAM) {
      const stream = new ResponseStream(this.#onReturn);
      this.#stream = stream;
      const { status, headers } = frame;
      this.#available = { status, headers, body: stream, isErrorReport: false };
    }
    const taken = frame.body.length > 0 ? this.#add(frame.body) : undefined;
    if (!goesOn) {
      this.#finish(frame);
    }
    return taken;
  }

  /**
   * Takes what a PUSH brought: a piece of the body, or nothing at its end.
   * @returns as `begin`
   * @throws HatcheryError RESPONSE_INVALID, RESPONSE_BODY_TOO_LARGE
   */
  push(payload: Uint8Array): Promise<void> | undefined {
    if (this.#frame === undefined || this.#isComplete) {
      throw new HatcheryError('RESPONSE_INVALID', {
        reason: 'a piece of its body is out of place',
      });
    }
    if (payload.length > 0) {
      return this.#add(payload);
    }
    this.#finish(this.#frame);
    return undefined;
  }

  /** The response breaks off. */
  fail(error: unknown): void {
    this.#stream?.fail(error);
  }

  #add(piece: Uint8Array): Promise<void> | undefined {
    this.#bytes += piece.length;
    if (this.#bytes > this.#bodyLimit) {
      throw new HatcheryError('RESPONSE_BODY_TOO_LARGE', { limit: this.#bodyLimit });
    }
    // The driver uses its memory again.
    const copy = Buffer.from(piece);
    if (this.#stream !== undefined) {
      return this.#stream.write(copy);
    }
    this.#pieces.push(copy);
    return undefined;
  }

  #finish({ status, headers, flags }: ResponseFrame): void {
    this.#isComplete = true;
    if (this.#stream !== undefined) {
      this.#stream.end();
      return;
    }
    const [first] = this.#pieces;
    const body =
      first !== undefined && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#available = { status, headers, body, isErrorReport: (flags & RESPONSE_ERROR) !== 0 };
  }
}
