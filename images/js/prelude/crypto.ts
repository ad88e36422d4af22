/**
 * Web Cryptography: random values, digests, HMAC. Randomness comes from the kernel's generator,
 * which each request reseeds; digests and HMAC from the engine's extension (mbedtls).
 */

import { copyBytes } from './blob.js';
import { type CryptoKey, createKey, type KeyUsage, materialOf } from './crypto-key.js';
import { host } from './host.js';
import { viewName } from './views.js';

const native = globalThis.crypto.subtle;

/** Block and digest sizes in bits: FIPS 180-4. HMAC's default key length is the block's. */
const BLOCK_BITS: Record<string, number> = {
  'SHA-1': 512,
  'SHA-256': 512,
  'SHA-384': 1024,
  'SHA-512': 1024,
};
const MAX_RANDOM_BYTES = 65_536;

type AlgorithmIdentifier = string | { name: string };
type HmacParameters = { name: string; hash: AlgorithmIdentifier; length?: number };

function algorithmName(algorithm: unknown): string {
  const name =
    typeof algorithm === 'object' && algorithm !== null
      ? (algorithm as { name?: unknown }).name
      : algorithm;
  if (typeof name !== 'string') throw new TypeError('the algorithm has no name');
  return name.toUpperCase();
}

function unsupported(what: string): DOMException {
  return new DOMException(`${what} is not supported`, 'NotSupportedError');
}

function hashName(algorithm: unknown): string {
  const name = algorithmName(algorithm);
  if (!Object.hasOwn(BLOCK_BITS, name)) throw unsupported(`the hash ${name}`);
  return name;
}

function requireHmac(algorithm: unknown): void {
  const name = algorithmName(algorithm);
  if (name !== 'HMAC') throw unsupported(`the algorithm ${name}`);
}

function bytesFrom(data: unknown): Uint8Array {
  const bytes = copyBytes(data);
  if (bytes === undefined) throw new TypeError('the data are no ArrayBuffer or view on one');
  return bytes;
}

function checkUsages(usages: unknown): KeyUsage[] {
  const list = [...new Set(usages as Iterable<KeyUsage>)];
  if (list.length === 0 || list.some((usage) => usage !== 'sign' && usage !== 'verify')) {
    throw new DOMException('the usages of an HMAC key are sign and verify', 'SyntaxError');
  }
  return list;
}

async function makeKey(
  bytes: Uint8Array,
  hash: string,
  extractable: boolean,
  usages: unknown,
): Promise<CryptoKey> {
  const checkedUsages = checkUsages(usages);
  if (bytes.length === 0) throw new DOMException('the key is empty', 'DataError');
  const nativeKey = await native.importKey('raw', bytes, { name: 'HMAC', hash }, true, ['sign']);
  const algorithm = { name: 'HMAC', hash: { name: hash }, length: bytes.length * 8 } as const;
  return createKey({ native: nativeKey, bytes }, algorithm, Boolean(extractable), checkedUsages);
}

function sign(key: CryptoKey, usage: KeyUsage, data: unknown): Promise<ArrayBuffer> {
  const material = materialOf(key);
  if (!key.usages.includes(usage)) {
    throw new DOMException(`the key is not for ${usage}`, 'InvalidAccessError');
  }
  return native.sign('HMAC', material.native, bytesFrom(data));
}

/** Takes the same time wherever the first difference is. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0);
  return difference === 0;
}

export class SubtleCrypto {
  async digest(algorithm: AlgorithmIdentifier, data: unknown): Promise<ArrayBuffer> {
    return native.digest(hashName(algorithm), bytesFrom(data));
  }

  async generateKey(
    algorithm: HmacParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey> {
    requireHmac(algorithm);
    const hash = hashName(algorithm.hash);
    const bits = Math.trunc(Number(algorithm.length ?? BLOCK_BITS[hash]));
    if (!(bits > 0) || bits % 8 !== 0) {
      throw new DOMException('the key length is no multiple of 8 bits', 'OperationError');
    }
    const bytes = new Uint8Array(bits / 8);
    host.fillRandom(bytes);
    return makeKey(bytes, hash, extractable, usages);
  }

  async importKey(
    format: string,
    key: unknown,
    algorithm: HmacParameters,
    extractable: boolean,
    usages: Iterable<KeyUsage>,
  ): Promise<CryptoKey> {
    requireHmac(algorithm);
    if (format !== 'raw') throw unsupported(`the key format ${format}`);
    return makeKey(bytesFrom(key), hashName(algorithm.hash), extractable, usages);
  }

  async exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer> {
    const { bytes } = materialOf(key);
    if (format !== 'raw') throw unsupported(`the key format ${format}`);
    if (!key.extractable) {
      throw new DOMException('the key is not extractable', 'InvalidAccessError');
    }
    return bytes.slice().buffer as ArrayBuffer;
  }

  async sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: unknown): Promise<ArrayBuffer> {
    requireHmac(algorithm);
    return sign(key, 'sign', data);
  }

  async verify(
    algorithm: AlgorithmIdentifier,
    key: CryptoKey,
    signature: unknown,
    data: unknown,
  ): Promise<boolean> {
    requireHmac(algorithm);
    const given = bytesFrom(signature);
    return areEqual(new Uint8Array(await sign(key, 'verify', data)), given);
  }

  get [Symbol.toStringTag](): string {
    return 'SubtleCrypto';
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export class Crypto {
  readonly subtle = new SubtleCrypto();

  getRandomValues<View extends ArrayBufferView>(view: View): View {
    const isIntegers =
      ArrayBuffer.isView(view) &&
      /^(Big)?(Ui|I)nt(8|16|32|64)(Clamped)?Array$/.test(viewName(view));
    if (!isIntegers) {
      throw new DOMException('getRandomValues: not an array of integers', 'TypeMismatchError');
    }
    if (view.byteLength > MAX_RANDOM_BYTES) {
      throw new DOMException(
        `getRandomValues: more than ${MAX_RANDOM_BYTES} bytes`,
        'QuotaExceededError',
      );
    }
    host.fillRandom(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    return view;
  }

  /** A version 4 UUID: RFC 9562, section 5.4. */
  randomUUID(): string {
    const bytes = new Uint8Array(16);
    host.fillRandom(bytes);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    let text = '';
    for (let i = 0; i < 16; i++) {
      text += HEX[bytes[i] as number];
      if (i === 3 || i === 5 || i === 7 || i === 9) text += '-';
    }
    return text;
  }

  get [Symbol.toStringTag](): string {
    return 'Crypto';
  }
}
