/** Which function a request is for: the front's only one, or the one that the URL names. */
import { HatcheryError } from '../errors.js';
import { MAX_COUNT, MAX_HEAD_BYTES, MAX_MILLISECONDS } from '../fabric/limits.js';
import type { Answering } from './service.js';

/** Where a request goes. */
export interface Route {
  readonly name: string;
  readonly answering: Answering;
  /** The URL as the function gets it, without the prefix; `undefined`: as it came. */
  readonly url?: string;
  /** What of the path named the function: `/NAME`. */
  readonly prefix?: string;
}

export interface Routes {
  /** What bounds a request before it is known whose it is. */
  readonly bounds: {
    readonly maxRequestHeadBytes: number;
    readonly maxHeaders: number;
    readonly wallMilliseconds: number;
  };
  /** How long a request may take that is in flight now. */
  readonly longestMilliseconds: number;
  /** @param url absolute and normalised. @throws HatcheryError FUNCTION_MISSING, ROUTE_MISSING */
  route(url: string): Route;
}

/** All requests go to one function. */
export class OneRoute implements Routes {
  readonly #route: Route;

  constructor(name: string, answering: Answering) {
    this.#route = { name, answering };
  }

  get bounds() {
    return this.#route.answering.limits;
  }

  get longestMilliseconds(): number {
    return this.bounds.wallMilliseconds;
  }

  route(): Route {
    return this.#route;
  }
}

/** What routing by name needs of a fabric. */
export interface NamedFunctions {
  function(name: string): Answering | undefined;
  /** The name of the function to which a host name is bound. */
  boundTo(host: string): string | undefined;
  /** All functions that answer now. */
  functions(): Iterable<Answering>;
}

const LOCAL = '.localhost';
/** `http://HOST[:PORT]PATH`, as a URL parser writes it. */
const PARTS = /^(https?:\/\/(\[[^\]]*\]|[^:/?#]*)(?::\d+)?)(\/([^/?#]*)(.*))$/s;

/**
 * A host name that is bound to a function, or `NAME.localhost`, goes to that function as a whole; for
 * other hosts the first segment of the path names it, and is taken off. The path `/` names none: it is
 * for the root function, where there is one.
 */
export class RoutesByName implements Routes {
  readonly #functions: NamedFunctions;
  readonly #root: string | undefined;
  readonly bounds = {
    maxRequestHeadBytes: MAX_HEAD_BYTES,
    maxHeaders: MAX_COUNT,
    wallMilliseconds: MAX_MILLISECONDS,
  };

  /** @param root the name of the function that answers `/`. */
  constructor(functions: NamedFunctions, root?: string) {
    this.#functions = functions;
    this.#root = root;
  }

  get longestMilliseconds(): number {
    const all = [...this.#functions.functions()].map(({ limits }) => limits.wallMilliseconds);
    return Math.max(0, ...all);
  }

  route(url: string): Route {
    const [, origin = '', host = '', path = '/', segment = '', rest = ''] = PARTS.exec(url) ?? [];
    const named = this.#nameOf(host.endsWith('.') ? host.slice(0, -1) : host);
    if (named !== undefined) {
      return { name: named, answering: this.#find(named) };
    }
    if (segment === '') {
      if (this.#root !== undefined && !rest.startsWith('/')) {
        return { name: this.#root, answering: this.#find(this.#root) };
      }
      throw new HatcheryError('ROUTE_MISSING', { path });
    }
    return {
      name: segment,
      answering: this.#find(segment),
      url: `${origin}${rest.startsWith('/') ? '' : '/'}${rest}`,
      prefix: `/${segment}`,
    };
  }

  #nameOf(host: string): string | undefined {
    const bound = this.#functions.boundTo(host);
    return bound ?? (host.endsWith(LOCAL) ? host.slice(0, -LOCAL.length) : undefined);
  }

  #find(name: string): Answering {
    const answering = this.#functions.function(name);
    if (answering === undefined) {
      throw new HatcheryError('FUNCTION_MISSING', { function: name });
    }
    return answering;
  }
}

const PREFIX_HEADER = 'x-forwarded-prefix';

/** Tells a function what was taken off its path; a trusted proxy in front may have taken off more. */
export function withPrefix(headers: readonly string[], prefix: string): string[] {
  const all = [...headers];
  const at = all.findIndex((name, index) => index % 2 === 0 && name === PREFIX_HEADER);
  if (at < 0) {
    all.push(PREFIX_HEADER, prefix);
  } else {
    all[at + 1] = `${all[at + 1]?.replace(/\/$/, '')}${prefix}`;
  }
  return all;
}
