/** Exports traced requests as spans by OTLP, in a thread of its own. */
import { Worker } from 'node:worker_threads';
import type { BaseLogger } from 'pino';
import type { Sampling } from '../front/sampling.js';
import type { TracedRequest, TracedServing } from '../supervisor/traced-requests.js';
import type { FromThread, ToThread } from './exporter-thread.js';
import { Troubles } from './troubles.js';

const THREAD = new URL('./exporter-thread.js', import.meta.url);
/** Requests that may be on their way to the thread. */
const MOST_WAITING = 4_096;
/** How long what is left at the end may take. */
const CLOSING_MILLISECONDS = 3_000;

export interface SpanExporterOptions {
  readonly sampling: Sampling;
  /** Of the package. */
  readonly version: string;
  readonly logger: BaseLogger;
}

export class SpanExporter implements TracedServing {
  readonly sampling: Sampling;
  readonly #thread: Worker;
  readonly #troubles: Troubles;
  /** Those that the thread has not taken, of each message. */
  readonly #waiting: number[] = [];
  #count = 0;
  #isDead = false;
  #closed: (() => void) | undefined;

  /** Reads the rest of what the environment says: where to, with which headers, how often. */
  constructor({ sampling, version, logger }: SpanExporterOptions) {
    this.sampling = sampling;
    this.#troubles = new Troubles(logger);
    this.#thread = new Worker(THREAD, { execArgv: [] });
    // A server that cannot start must not be kept from ending.
    this.#thread.unref();
    this.#thread.on('message', (message: FromThread) => this.#receive(message));
    this.#thread.on('error', (error) => {
      logger.error({ err: error }, 'spans are not exported any more');
    });
    this.#thread.on('exit', () => {
      this.#isDead = true;
      this.#closed?.();
    });
    this.#send({ type: 'begin', version });
  }

  report(requests: readonly TracedRequest[], omitted: number): void {
    let dropped = omitted;
    if (this.#isDead || this.#count + requests.length > MOST_WAITING) {
      dropped += requests.length;
    } else {
      this.#waiting.push(requests.length);
      this.#count += requests.length;
      this.#send({ type: 'export', requests });
    }
    if (dropped > 0) {
      this.#troubles.drop(dropped);
    }
  }

  /** Exports what there is, as far as that is possible in 3 s. */
  async close(): Promise<void> {
    if (!this.#isDead) {
      await this.#flush();
      await this.#thread.terminate();
    }
    this.#troubles.close();
  }

  #flush(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#troubles.note(`not all was exported within ${CLOSING_MILLISECONDS} ms of the end`);
        resolve();
      }, CLOSING_MILLISECONDS);
      this.#closed = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#send({ type: 'close' });
    });
  }

  #receive(message: FromThread): void {
    switch (message.type) {
      case 'taken':
        this.#count -= this.#waiting.shift() ?? 0;
        return;
      case 'problem':
        this.#troubles.note(message.text);
        return;
      case 'closed':
        this.#closed?.();
    }
  }

  #send(message: ToThread): void {
    this.#thread.postMessage(message);
  }
}
