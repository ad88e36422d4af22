/** Globals that the engine or its extensions bring and that the ES2023 library does not declare. */

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

declare function queueMicrotask(callback: () => void): void;
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare var performance: object;

/** The C++ URL parser (ada). Its searchParams is missing; url.ts adds it. */
interface NativeURL {
  href: string;
  protocol: string;
  username: string;
  password: string;
  host: string;
  hostname: string;
  port: string;
  pathname: string;
  search: string;
  hash: string;
  readonly origin: string;
  toString(): string;
  toJSON(): string;
}
declare var URL: {
  new (url: string, base?: string): NativeURL;
  canParse(url: string, base?: string): boolean;
};

declare class TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array;
  encodeInto(text: string, destination: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(input?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

/** The C extension (mbedtls); crypto.ts wraps what it uses of it. */
declare var crypto: {
  readonly subtle: {
    digest(hash: string, data: Uint8Array): Promise<ArrayBuffer>;
    importKey(
      format: 'raw',
      bytes: Uint8Array,
      algorithm: { name: 'HMAC'; hash: string },
      extractable: boolean,
      usages: string[],
    ): Promise<object>;
    sign(algorithm: 'HMAC', key: object, data: Uint8Array): Promise<ArrayBuffer>;
  };
};

/** ECMAScript 2025. */
declare var Float16Array: new (
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
) => ArrayBufferView;
