/** The tokens of a server: who may do what. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { writeAtomically } from '../../atomic-file.js';
import { HatcheryError } from '../../errors.js';
import { FIRST_TOKEN_FILE } from './first-token.js';
import { Bucket, type Rate } from './rate-limit.js';
import { SCOPES, type Scope } from './scopes.js';
import {
  isExpired,
  type KeptToken,
  matches,
  mintToken,
  parseToken,
  type TokenFacts,
} from './token.js';

/** Of the data folder: what is kept of all tokens. */
const TOKENS_FILE = 'tokens.json';
/** Each is looked through at every start; nobody needs more. */
const MAX_TOKENS = 1_000;

const KEPT = v.object({
  tokens: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      scopes: v.array(v.picklist(SCOPES)),
      createdAt: v.string(),
      expiresAt: v.optional(v.string()),
      hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    }),
  ),
});

export class Tokens {
  readonly #folder: string;
  readonly #rate: Rate;
  readonly #tokens: Map<string, KeptToken>;
  readonly #buckets = new Map<string, Bucket>();
  /** Writes, one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, rate: Rate, tokens: readonly KeptToken[]) {
    this.#folder = folder;
    this.#rate = rate;
    this.#tokens = new Map(tokens.map((token) => [token.id, token]));
  }

  /**
   * Where there is no token that could make others (at the first start), one with all scopes is made
   * and written to the file `token` of the folder.
   * @throws HatcheryError DATA_UNUSABLE
   */
  static async open(folder: string, rate: Rate): Promise<Tokens> {
    const tokens = new Tokens(folder, rate, await readTokens(join(folder, TOKENS_FILE)));
    if (!tokens.list().some(({ scopes }) => scopes.includes('tokens'))) {
      const { text } = await tokens.create({ name: 'first', scopes: SCOPES });
      await writeAtomically(join(folder, FIRST_TOKEN_FILE), `${text}\n`).catch((cause: Error) => {
        throw unusable(join(folder, FIRST_TOKEN_FILE), cause);
      });
    }
    return tokens;
  }

  /** Those that have not expired. */
  list(): TokenFacts[] {
    return [...this.#tokens.values()]
      .filter((token) => !isExpired(token))
      .map(({ hash: _, ...facts }) => facts);
  }

  /**
   * Who it is that has this token, if it may do that, and not too often.
   * @param authorization the header's value.
   * @throws HatcheryError TOKEN_MISSING, TOKEN_INVALID, SCOPE_MISSING, RATE_LIMITED
   */
  check(authorization: string | undefined, scope: Scope): TokenFacts {
    if (authorization === undefined) {
      throw new HatcheryError('TOKEN_MISSING');
    }
    const [, given = ''] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
    const parsed = parseToken(given);
    const token = parsed === undefined ? undefined : this.#tokens.get(parsed.id);
    if (parsed === undefined || !matches(token, parsed.secret) || isExpired(token)) {
      throw new HatcheryError('TOKEN_INVALID');
    }
    this.#limit(token);
    if (!token.scopes.includes(scope)) {
      throw new HatcheryError('SCOPE_MISSING', { scope });
    }
    return token;
  }

  /** Whether a token that was good still is. */
  isGood(id: string): boolean {
    const token = this.#tokens.get(id);
    return token !== undefined && !isExpired(token);
  }

  /**
   * @returns with `text`, which nobody can learn again.
   * @throws HatcheryError INVALID_ARGUMENT where there are too many, DATA_UNUSABLE
   */
  async create(
    facts: Omit<TokenFacts, 'id' | 'createdAt'>,
  ): Promise<{ readonly text: string; readonly facts: TokenFacts }> {
    const { text, kept } = mintToken(facts);
    await this.#change((tokens) => {
      if (tokens.size >= MAX_TOKENS) {
        const problem = `There are ${MAX_TOKENS} tokens; remove some`;
        throw new HatcheryError('INVALID_ARGUMENT', { problem });
      }
      tokens.set(kept.id, kept);
    });
    const { hash: _, ...shown } = kept;
    return { text, facts: shown };
  }

  /** @throws HatcheryError TOKEN_UNKNOWN, DATA_UNUSABLE */
  async remove(id: string): Promise<void> {
    await this.#change((tokens) => {
      if (!tokens.delete(id)) {
        throw new HatcheryError('TOKEN_UNKNOWN', { id });
      }
    });
  }

  #limit({ id }: TokenFacts): void {
    let bucket = this.#buckets.get(id);
    if (bucket === undefined) {
      bucket = new Bucket(this.#rate);
      this.#buckets.set(id, bucket);
    }
    const wait = bucket.take();
    if (wait > 0) {
      throw new HatcheryError('RATE_LIMITED', { retryAfter: Math.ceil(wait / 1000) });
    }
  }

  /** On disk first: what was said to hold must hold after a restart. */
  #change(change: (tokens: Map<string, KeptToken>) => void): Promise<void> {
    const work = async () => {
      const alive = [...this.#tokens].filter(([, token]) => !isExpired(token));
      const next = new Map(alive);
      change(next);
      const path = join(this.#folder, TOKENS_FILE);
      const text = JSON.stringify({ tokens: [...next.values()] });
      await writeAtomically(path, text).catch((cause: Error) => {
        throw unusable(path, cause);
      });
      for (const id of this.#buckets.keys()) {
        if (!next.has(id)) {
          this.#buckets.delete(id);
        }
      }
      this.#tokens.clear();
      for (const [id, token] of next) {
        this.#tokens.set(id, token);
      }
    };
    const result = this.#turn.catch(() => {}).then(work);
    this.#turn = result;
    return result;
  }
}

async function readTokens(path: string): Promise<KeptToken[]> {
  try {
    return v.parse(KEPT, JSON.parse(await readFile(path, 'utf8'))).tokens;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [];
    }
    throw unusable(path, error as Error);
  }
}

function unusable(path: string, cause: Error): HatcheryError {
  return new HatcheryError('DATA_UNUSABLE', { path, reason: cause.message }, { cause });
}
