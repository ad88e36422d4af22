/** The text of a token, `hatchery_ID_SECRET`, and what is kept of it. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Scope } from './scopes.js';

const ID_BYTES = 6;
const SECRET_BYTES = 32;
const TEXT = /^hatchery_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** What may be shown of a token. */
export interface TokenFacts {
  readonly id: string;
  /** What its maker calls it. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  /** It is worth nothing from then on; `undefined`: never. */
  readonly expiresAt?: string | undefined;
}

/** As it is kept: SHA-256 of a secret of 256 random bits, which nobody can guess from it. */
export interface KeptToken extends TokenFacts {
  /** Hexadecimal. */
  readonly hash: string;
}

export interface ParsedToken {
  readonly id: string;
  readonly secret: string;
}

/** @returns `undefined` where the text is no token. */
export function parseToken(text: string): ParsedToken | undefined {
  const [, id, secret] = TEXT.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** A new token's text, and what is kept of it. */
export function mintToken(facts: Omit<TokenFacts, 'id' | 'createdAt'>): {
  readonly text: string;
  readonly kept: KeptToken;
} {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const createdAt = new Date().toISOString();
  const kept = { id, createdAt, ...facts, hash: hashOf(secret).toString('hex') };
  return { text: `hatchery_${id}_${secret}`, kept };
}

/** Stands for a token that there is not, so that one takes as long to refuse as a wrong secret. */
const NO_HASH = Buffer.alloc(32).toString('hex');

/** Compares in constant time. @param kept `undefined` where no token has that id; never matches. */
export function matches(kept: KeptToken | undefined, secret: string): kept is KeptToken {
  const expected = Buffer.from(kept?.hash ?? NO_HASH, 'hex');
  const isSame = timingSafeEqual(expected, hashOf(secret));
  return isSame && kept !== undefined;
}

export function isExpired({ expiresAt }: TokenFacts, now = Date.now()): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= now;
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
