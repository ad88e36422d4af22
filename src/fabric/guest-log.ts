/** What guests log, on its way to the fabric's logger. */
import type { BaseLogger } from 'pino';
import { decodeLogs } from '../channel.js';
import { HatcheryError } from '../errors.js';
import type { Redaction } from './redaction.js';

/** The log of one request, or of one start. */
export class GuestLog {
  readonly #logger: BaseLogger;
  readonly #context: Readonly<Record<string, string>>;
  readonly #limit: number;
  readonly #redaction: Redaction;
  #bytes = 0;

  /**
   * @param context goes with each line: the function, the request.
   * @param limit bytes of text that may be written.
   */
  constructor(
    logger: BaseLogger,
    context: Readonly<Record<string, string>>,
    limit: number,
    redaction: Redaction,
  ) {
    this.#logger = logger;
    this.#context = context;
    this.#limit = limit;
    this.#redaction = redaction;
  }

  /**
   * @param bytes log records as a guest wrote them.
   * @throws HatcheryError LOG_EXCEEDED; what came up to the limit is written
   */
  write(bytes: Uint8Array): void {
    const { records, intact } = decodeLogs(bytes);
    for (const { level, text } of records) {
      this.#bytes += Buffer.byteLength(text);
      if (this.#bytes > this.#limit) {
        throw new HatcheryError('LOG_EXCEEDED', { limit: this.#limit });
      }
      this.#logger[level](this.#context, this.#redaction.apply(text));
    }
    if (!intact) {
      this.#logger.warn(this.#context, 'the guest wrote a malformed log record; the rest is lost');
    }
  }
}
