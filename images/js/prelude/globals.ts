/** Puts the web APIs on the global object, in the place of what the engine's extensions left. */

import { AbortController, AbortSignal } from './abort.js';
import { Blob, File } from './blob.js';
import { console } from './console.js';
import { Crypto, SubtleCrypto } from './crypto.js';
import { CryptoKey } from './crypto-key.js';
import { reportError } from './errors.js';
import { CustomEvent, Event, EventTarget } from './event.js';
import { fetch } from './fetch.js';
import { FormData } from './form-data.js';
import { Headers } from './headers.js';
import { Performance } from './performance.js';
import { Request } from './request.js';
import { Response } from './response.js';
import * as streams from './streams.js';
import { structuredClone } from './structured-clone.js';
import { clearInterval, clearTimeout, setInterval, setTimeout } from './timers.js';
import { URL } from './url.js';
import { URLSearchParams } from './url-search-params.js';

class Navigator {
  get userAgent(): string {
    return 'Hatchery';
  }

  get [Symbol.toStringTag](): string {
    return 'Navigator';
  }
}

/** Interfaces and functions are writable and hidden from enumeration, as in browsers. */
function define(values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

export function installGlobals(): void {
  define({
    AbortController,
    AbortSignal,
    Blob,
    Crypto,
    CryptoKey,
    CustomEvent,
    Event,
    EventTarget,
    File,
    FormData,
    Headers,
    Navigator,
    Performance,
    Request,
    Response,
    SubtleCrypto,
    URL,
    URLSearchParams,
    ...streams,
    clearInterval,
    clearTimeout,
    console,
    crypto: new Crypto(),
    fetch,
    navigator: new Navigator(),
    performance: new Performance(),
    reportError,
    self: globalThis,
    setInterval,
    setTimeout,
    structuredClone,
  });
  for (const codec of [TextEncoder, TextDecoder]) {
    Object.defineProperty(codec.prototype, Symbol.toStringTag, {
      value: codec.name,
      configurable: true,
    });
  }
}
