/** What guests log, on its way to the fabric's logger. */
import type { BaseLogger } from 'pino';
import { decodeLogs } from '../channel.js';
import { LOG_BYTES } from './limits.js';

/** The log of one request, or of one start. */
export class GuestLog {
  readonly #logger: BaseLogger;
  readonly #context: Readonly<Record<string, string>>;
  #bytesLeft = LOG_BYTES;

  /** @param context goes with each line: the function, the request. */
  constructor(logger: BaseLogger, context: Readonly<Record<string, string>>) {
    this.#logger = logger;
    this.#context = context;
  }

  /** @param bytes log records as a guest wrote them. */
  write(bytes: Uint8Array): void {
    if (this.#bytesLeft <= 0) {
      return;
    }
    this.#bytesLeft -= bytes.length;
    const { records, intact } = decodeLogs(bytes);
    for (const { level, text } of records) {
      this.#logger[level](this.#context, text);
    }
    if (!intact) {
      this.#logger.warn(this.#context, 'the guest wrote a malformed log record; the rest is lost');
    }
    if (this.#bytesLeft <= 0) {
      this.#logger.warn(this.#context, `more than ${LOG_BYTES} bytes of log; the rest is dropped`);
    }
  }
}
