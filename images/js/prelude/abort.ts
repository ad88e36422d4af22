import { Event, EventTarget } from './event.js';
import { requireRequest } from './serving.js';
import { after } from './timers.js';

const CREATE = Symbol('create');

let abortSignal: (signal: AbortSignal, reason: unknown) => void;

/** The DOM standard's AbortSignal. */
export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  #dependents: AbortSignal[] = [];
  #handler: ((event: Event) => unknown) | null = null;

  static {
    abortSignal = (signal, reason) => signal.#abort(reason);
  }

  constructor(permission?: typeof CREATE) {
    if (permission !== CREATE) throw new TypeError('AbortSignal: use an AbortController');
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(CREATE);
    signal.#abort(reason);
    return signal;
  }

  /** A signal that is aborted after that many milliseconds; cannot be had during start-up. */
  static timeout(milliseconds: number): AbortSignal {
    requireRequest('AbortSignal.timeout');
    const delay = Math.trunc(Number(milliseconds));
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) {
      throw new TypeError(`AbortSignal.timeout: ${milliseconds} is out of range`);
    }
    const signal = new AbortSignal(CREATE);
    after(delay, () => signal.#abort(new DOMException('timed out', 'TimeoutError')));
    return signal;
  }

  /** A signal that is aborted as soon as one of these is. */
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const result = new AbortSignal(CREATE);
    for (const signal of signals) {
      if (!(#aborted in signal)) throw new TypeError('AbortSignal.any: not an AbortSignal');
      if (signal.#aborted) {
        result.#aborted = true;
        result.#reason = signal.#reason;
        return result;
      }
      signal.#dependents.push(result);
    }
    return result;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  get onabort(): ((event: Event) => unknown) | null {
    return this.#handler;
  }

  set onabort(handler: ((event: Event) => unknown) | null) {
    if (this.#handler !== null) this.removeEventListener('abort', this.#handler);
    this.#handler = typeof handler === 'function' ? handler : null;
    this.addEventListener('abort', this.#handler);
  }

  /** Marks this signal and its dependents before any listener runs. */
  #abort(reason: unknown): void {
    const marked: AbortSignal[] = [];
    const why = reason === undefined ? new DOMException('aborted', 'AbortError') : reason;
    const mark = (signal: AbortSignal): void => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = why;
      marked.push(signal);
      for (const dependent of signal.#dependents) mark(dependent);
    };
    mark(this);
    for (const signal of marked) signal.dispatchEvent(new Event('abort'));
  }

  override get [Symbol.toStringTag](): string {
    return 'AbortSignal';
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(CREATE);

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }

  get [Symbol.toStringTag](): string {
    return 'AbortController';
  }
}
