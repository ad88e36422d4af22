/** Says on standard error how far an upload is that takes long. */
import type { Terminal } from '../terminal.js';

const QUIET_MILLISECONDS = 1_000;
const EVERY_MILLISECONDS = 5_000;
const MEBIBYTE = 1024 * 1024;

export class UploadProgress {
  readonly #what: string;
  readonly #terminal: Terminal;
  readonly #start = performance.now();
  #next = this.#start + QUIET_MILLISECONDS;
  #sent = 0;
  #total = 0;

  constructor(what: string, terminal: Terminal) {
    this.#what = what;
    this.#terminal = terminal;
  }

  tell(sent: number, total: number): void {
    this.#sent = sent;
    this.#total = total;
    const now = performance.now();
    if (now >= this.#next) {
      this.#next = now + EVERY_MILLISECONDS;
      const percent = ((100 * sent) / total).toFixed(0);
      this.#terminal.note(
        `Sending ${this.#what}: ${percent} % of ${mebibytes(total)} MiB (${this.#seconds()} s)`,
      );
    }
  }

  /** Nothing is said where nothing was sent. */
  end(): void {
    if (this.#total > 0 && this.#sent === this.#total) {
      this.#terminal.note(
        `Sent ${this.#what}: ${mebibytes(this.#total)} MiB in ${this.#seconds()} s`,
      );
    }
  }

  #seconds(): string {
    return ((performance.now() - this.#start) / 1_000).toFixed(1);
  }
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}
