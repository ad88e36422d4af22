/** Links that let a browser in once: each gives a token of its own to the first who follows it. */
import { randomBytes } from 'node:crypto';
import { HatcheryError } from '../../errors.js';
import { Bucket } from './rate-limit.js';
import type { Scope } from './scopes.js';
import { hashOf, type TokenFacts } from './token.js';
import type { Tokens } from './tokens.js';

const CODE_BYTES = 32;
/** So long a link can be followed. */
export const LINK_MILLISECONDS = 120_000;
/** So long the token is good that it gives. */
const SESSION_MILLISECONDS = 12 * 3_600_000;
const MAX_LINKS = 100;
/** Tries of those who have no token, all together. */
const TRIES = { perSecond: 5, burst: 20 };

interface Link {
  readonly scopes: readonly Scope[];
  readonly expires: number;
}

export class Links {
  readonly #tokens: Tokens;
  /** By the hash of their code, so that looking one up tells nothing about others. */
  readonly #links = new Map<string, Link>();
  readonly #tries = new Bucket(TRIES);

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** @param scopes of the token that it gives. */
  create(scopes: readonly Scope[]): { readonly code: string; readonly expiresAt: string } {
    this.#forgetExpired();
    if (this.#links.size >= MAX_LINKS) {
      throw new HatcheryError('RATE_LIMITED', { retryAfter: LINK_MILLISECONDS / 1000 });
    }
    const code = randomBytes(CODE_BYTES).toString('base64url');
    const expires = Date.now() + LINK_MILLISECONDS;
    this.#links.set(hashOf(code).toString('hex'), { scopes, expires });
    return { code, expiresAt: new Date(expires).toISOString() };
  }

  /**
   * Turns a code into a token, once.
   * @throws HatcheryError LINK_INVALID, RATE_LIMITED, DATA_UNUSABLE
   */
  async follow(code: string): Promise<{ readonly text: string; readonly facts: TokenFacts }> {
    const wait = this.#tries.take();
    if (wait > 0) {
      throw new HatcheryError('RATE_LIMITED', { retryAfter: Math.ceil(wait / 1000) });
    }
    this.#forgetExpired();
    const key = hashOf(code).toString('hex');
    const link = this.#links.get(key);
    if (link === undefined) {
      throw new HatcheryError('LINK_INVALID');
    }
    this.#links.delete(key);
    const expiresAt = new Date(Date.now() + SESSION_MILLISECONDS).toISOString();
    return this.#tokens.create({ name: 'link', scopes: link.scopes, expiresAt });
  }

  #forgetExpired(): void {
    for (const [key, { expires }] of this.#links) {
      if (expires <= Date.now()) {
        this.#links.delete(key);
      }
    }
  }
}
