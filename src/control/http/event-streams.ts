/** Server-sent events: how many streams there are, what each may hold, and how it ends. */
import type { ServerResponse } from 'node:http';
import { HatcheryError } from '../../errors.js';

export interface StreamLimits {
  /** Streams at a time, all together. */
  readonly streams: number;
  /** Bytes that a reader may leave unread before it is cut off. */
  readonly unreadBytes: number;
  /** How often a comment is sent, which shows on both sides whether the other one is there. */
  readonly heartbeatMilliseconds: number;
}

export const STREAM_LIMITS: StreamLimits = {
  streams: 1_024,
  unreadBytes: 1024 * 1024,
  heartbeatMilliseconds: 15_000,
};

const RETRY_SECONDS = 5;

export interface EventStream {
  /** @param id for a client to resume at. */
  send(data: unknown, id?: string): void;
  /** Ends it as it should end. */
  end(): void;
  /** Called once, however it ends. */
  onClose(listener: () => void): void;
}

export class EventStreams {
  readonly #limits: StreamLimits;
  readonly #isGood: (tokenId: string) => boolean;
  readonly #open = new Map<ServerResponse, string>();
  readonly #heartbeat: NodeJS.Timeout;

  /** @param isGood whether a token that a stream was opened with still is good. */
  constructor(limits: StreamLimits, isGood: (tokenId: string) => boolean) {
    this.#limits = limits;
    this.#isGood = isGood;
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMilliseconds).unref();
  }

  get count(): number {
    return this.#open.size;
  }

  /**
   * Begins a stream as the answer of a request.
   * @param headers more of them: name and value.
   * @throws HatcheryError STREAMS_EXHAUSTED
   */
  open(
    response: ServerResponse,
    tokenId: string,
    headers: Readonly<Record<string, string>>,
  ): EventStream {
    const limit = this.#limits.streams;
    if (this.#open.size >= limit) {
      throw new HatcheryError('STREAMS_EXHAUSTED', { limit, retryAfter: RETRY_SECONDS });
    }
    this.#open.set(response, tokenId);
    const listeners: (() => void)[] = [];
    response.once('close', () => {
      this.#open.delete(response);
      for (const listener of listeners) {
        listener();
      }
    });
    response.writeHead(200, {
      ...headers,
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      Connection: 'close',
      'X-Accel-Buffering': 'no',
    });
    response.write(':\n\n');
    return {
      send: (data, id) => {
        const name = id === undefined ? '' : `id: ${id}\n`;
        this.#write(response, `${name}data: ${JSON.stringify(data)}\n\n`);
      },
      end: () => {
        response.end();
      },
      onClose: (listener) => {
        listeners.push(listener);
      },
    };
  }

  /** Ends the streams of tokens that are not good any more. */
  endRevoked(): void {
    for (const [response, tokenId] of this.#open) {
      if (!this.#isGood(tokenId)) {
        response.destroy();
      }
    }
  }

  /** Ends all. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const response of this.#open.keys()) {
      response.end();
    }
  }

  #beat(): void {
    this.endRevoked();
    for (const response of this.#open.keys()) {
      this.#write(response, ':\n\n');
    }
  }

  #write(response: ServerResponse, text: string): void {
    if (response.destroyed || response.writableEnded) {
      return;
    }
    response.write(text);
    if (response.writableLength > this.#limits.unreadBytes) {
      response.destroy();
    }
  }
}
