export type KeyUsage = 'sign' | 'verify';

export interface HmacKeyAlgorithm {
  readonly name: 'HMAC';
  readonly hash: { readonly name: string };
  readonly length: number;
}

interface Material {
  /** The extension's key, and its bytes. */
  readonly native: object;
  readonly bytes: Uint8Array;
}

const CREATE = Symbol('create');

let createKey: (
  material: Material,
  algorithm: HmacKeyAlgorithm,
  extractable: boolean,
  usages: KeyUsage[],
) => CryptoKey;
let materialOf: (key: unknown) => Material;

/** Web Cryptography's CryptoKey. */
export class CryptoKey {
  readonly #material: Material;
  readonly #algorithm: HmacKeyAlgorithm;
  readonly #extractable: boolean;
  readonly #usages: KeyUsage[];

  static {
    createKey = (...parameters) => new CryptoKey(CREATE, ...parameters);
    materialOf = (key) => {
      if (typeof key !== 'object' || key === null || !(#material in key)) {
        throw new TypeError('not a CryptoKey');
      }
      return key.#material;
    };
  }

  constructor(
    permission: typeof CREATE,
    material: Material,
    algorithm: HmacKeyAlgorithm,
    extractable: boolean,
    usages: KeyUsage[],
  ) {
    if (permission !== CREATE) throw new TypeError('CryptoKey: use crypto.subtle');
    this.#material = material;
    this.#algorithm = algorithm;
    this.#extractable = extractable;
    this.#usages = usages;
  }

  get type(): string {
    return 'secret';
  }

  get extractable(): boolean {
    return this.#extractable;
  }

  get algorithm(): HmacKeyAlgorithm {
    return this.#algorithm;
  }

  get usages(): KeyUsage[] {
    return this.#usages;
  }

  get [Symbol.toStringTag](): string {
    return 'CryptoKey';
  }
}

export { createKey, materialOf };
