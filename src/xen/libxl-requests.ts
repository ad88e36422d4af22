/** Asks the addon for operations of libxl, and waits for them without blocking. */
import { HatcheryError } from '../errors.js';
import { libxlError, type NativeLibxlFailure } from './libxl-failure.js';
import { fromLibxlJson, toLibxlJson } from './libxl-json.js';
import { type LibxlAddon, loadLibxlAddon } from './libxl-native.js';

/** For operations that can take long. */
export interface Abortable {
  /**
   * Asks libxl to cut the operation short. It then rejects with libxl's ERROR_ABORTED, as soon as
   * libxl gets to it, or ends as if nothing had been asked. A domain that was half created may be
   * left.
   */
  readonly signal?: AbortSignal | undefined;
}

interface Arguments extends Abortable {
  readonly numbers?: readonly number[];
  readonly texts?: readonly string[];
  /** Sent as libxl's JSON, after the texts. */
  readonly values?: readonly unknown[];
}

/** One share in the process's libxl context. */
export class LibxlRequests {
  readonly addon: LibxlAddon;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closed = new AbortController();

  constructor(addon: LibxlAddon) {
    this.addon = addon;
  }

  /** Aborted once the share has been given back. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** @throws HatcheryError LIBXL_FAILED */
  async request<Value>(operation: string, given: Arguments = {}): Promise<Value> {
    return fromLibxlJson(await this.requestText(operation, given)) as Value;
  }

  /** The same, with the result as libxl wrote it. */
  requestText(operation: string, given: Arguments = {}): Promise<string> {
    if (this.#closed.signal.aborted) {
      return Promise.reject(
        new HatcheryError('INVALID_ARGUMENT', {
          problem: 'this Libxl is closed. Open another one',
        }),
      );
    }
    const ended = start(this.addon, operation, given);
    const settled = ended.then(
      () => undefined,
      () => undefined,
    );
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
    return ended;
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) {
      return;
    }
    this.#closed.abort();
    await Promise.all(this.#underWay);
    this.addon.release();
  }
}

function start(addon: LibxlAddon, operation: string, given: Arguments): Promise<string> {
  const { numbers = [], texts = [], values = [], signal } = given;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => addon.abort(request);
    const request = addon.request(
      operation,
      numbers,
      [...texts, ...values.map(toLibxlJson)],
      (failure: NativeLibxlFailure | null, result) => {
        signal?.removeEventListener('abort', abort);
        if (failure === null) {
          resolve(result);
        } else {
          reject(libxlError(failure));
        }
      },
    );
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** @throws HatcheryError ADDON_MISSING, XEN_UNAVAILABLE */
export async function openRequests(): Promise<LibxlRequests> {
  const addon = loadLibxlAddon();
  try {
    await start(addon, 'open', {});
  } catch (cause) {
    const said = cause instanceof HatcheryError ? String(cause.details.said) : String(cause);
    throw new HatcheryError(
      'XEN_UNAVAILABLE',
      {
        reason: `libxl cannot reach it (${said})`,
        remedy: 'Run this as root in Dom0, with xenstored running; `hatchery doctor` says more.',
      },
      { cause },
    );
  }
  return new LibxlRequests(addon);
}
