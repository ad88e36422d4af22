/** What goes wrong with exporting, told now and then: it may go wrong for each batch, for hours. */
import type { BaseLogger } from 'pino';

const PAUSE_MILLISECONDS = 30_000;
/** Characters of what a receiver answered, say. */
const LONGEST = 500;

export class Troubles {
  readonly #logger: BaseLogger;
  readonly #pause: number;
  #last: string | undefined;
  #notes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param pause milliseconds between two lines. */
  constructor(logger: BaseLogger, pause = PAUSE_MILLISECONDS) {
    this.#logger = logger;
    this.#pause = pause;
  }

  note(text: string): void {
    this.#last = text.slice(0, LONGEST);
    this.#notes += 1;
    this.#tell();
  }

  /** @param count requests whose spans are lost, as there were too many at a time. */
  drop(count: number): void {
    this.#dropped += count;
    this.#tell();
  }

  /** The first at once, then what came meanwhile after each pause. */
  #tell(): void {
    if (this.#timer === undefined) {
      this.#write();
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#notes + this.#dropped > 0) {
          this.#tell();
        }
      }, this.#pause).unref();
    }
  }

  #write(): void {
    const logger = this.#logger;
    if (this.#notes > 0) {
      logger.warn({ problem: this.#last, times: this.#notes }, 'spans cannot be exported');
    }
    if (this.#dropped > 0) {
      logger.warn(
        { requests: this.#dropped },
        'requests are not traced: there are too many at a time',
      );
    }
    this.#notes = 0;
    this.#dropped = 0;
  }

  /** Tells what was not told. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#write();
  }
}
