/** Globals of the guest that Node's types lack, or have otherwise. */
import type { webcrypto } from 'node:crypto';

export type CryptoKey = webcrypto.CryptoKey;
export type HmacKeyAlgorithm = webcrypto.HmacKeyAlgorithm;

type Class<Parameters extends unknown[] = unknown[], Instance = object> = new (
  ...parameters: Parameters
) => Instance;

type Callback = (...values: never[]) => unknown;
type SetTimer = (callback: Callback, delay?: number, ...values: unknown[]) => number;

interface Web {
  readonly setTimeout: SetTimer;
  readonly setInterval: SetTimer;
  readonly clearTimeout: (id?: number) => void;
  readonly clearInterval: (id?: number) => void;
  readonly Blob: Class<[parts?: unknown[], options?: { type?: string }], Blob>;
  readonly Crypto: Class;
  readonly CryptoKey: Class;
  readonly Event: { readonly NONE: number; readonly AT_TARGET: number };
  readonly FormData: Class<[form?: unknown], FormData>;
  readonly Performance: Class;
  readonly Response: { redirect(url: string, status?: number): Response };
  readonly SubtleCrypto: Class;
}

export const web = globalThis as unknown as Web;
