import { headerName, headerValue } from './byte-string.js';

export type HeadersInit = Headers | Iterable<readonly string[]> | Record<string, string>;

/** Reads the rows (lower-case name and value in turn) and makes a Headers from rows that are right. */
let fromRows: (rows: string[]) => Headers;
let rowsOf: (headers: Headers) => readonly string[];
let makeImmutable: (headers: Headers) => Headers;

/**
 * The Fetch standard's Headers, kept as a row of names and values: requests have few, so that a scan
 * is faster than a map is made.
 */
export class Headers {
  #rows: string[] = [];
  #isImmutable = false;
  /** What iteration gives; undefined after a change. */
  #pairs: [string, string][] | undefined;

  static {
    fromRows = (rows) => {
      const headers = new Headers();
      headers.#rows = rows;
      return headers;
    };
    rowsOf = (headers) => headers.#rows;
    makeImmutable = (headers) => {
      headers.#isImmutable = true;
      return headers;
    };
  }

  constructor(init?: HeadersInit) {
    if (init !== undefined) this.#fill(init);
  }

  #fill(init: HeadersInit): void {
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
      throw new TypeError('Headers: the initial value is neither a record nor a sequence');
    }
    if (#rows in init) {
      this.#rows = [...init.#rows];
    } else if (Symbol.iterator in init) {
      for (const pair of init) {
        const [name, value, ...rest] = [...pair];
        if (value === undefined || rest.length > 0) {
          throw new TypeError('Headers: each item must be a pair of name and value');
        }
        this.append(name as string, value);
      }
    } else {
      for (const name of Reflect.ownKeys(init)) {
        const property = Object.getOwnPropertyDescriptor(init, name);
        if (property?.enumerable !== true) continue;
        if (typeof name === 'symbol') throw new TypeError('invalid header name: a symbol');
        this.append(name, init[name] as string);
      }
    }
  }

  #change(): void {
    if (this.#isImmutable) throw new TypeError('these headers cannot be changed');
    this.#pairs = undefined;
  }

  append(name: string, value: string): void {
    const checkedName = headerName(name);
    const checkedValue = headerValue(value);
    this.#change();
    this.#rows.push(checkedName, checkedValue);
  }

  delete(name: string): void {
    const wanted = headerName(name);
    this.#change();
    const rows = this.#rows;
    for (let i = rows.length - 2; i >= 0; i -= 2) {
      if (rows[i] === wanted) rows.splice(i, 2);
    }
  }

  get(name: string): string | null {
    const wanted = headerName(name);
    const rows = this.#rows;
    let value: string | null = null;
    for (let i = 0; i < rows.length; i += 2) {
      if (rows[i] === wanted)
        value = value === null ? (rows[i + 1] as string) : `${value}, ${rows[i + 1]}`;
    }
    return value;
  }

  getSetCookie(): string[] {
    return this.#rows.filter((_, i, rows) => i % 2 === 1 && rows[i - 1] === 'set-cookie');
  }

  has(name: string): boolean {
    const wanted = headerName(name);
    const rows = this.#rows;
    for (let i = 0; i < rows.length; i += 2) if (rows[i] === wanted) return true;
    return false;
  }

  set(name: string, value: string): void {
    const checkedName = headerName(name);
    const checkedValue = headerValue(value);
    this.#change();
    const rows = this.#rows;
    for (let i = 0; i < rows.length; i += 2) {
      if (rows[i] !== checkedName) continue;
      rows[i + 1] = checkedValue;
      for (let j = rows.length - 2; j > i; j -= 2) if (rows[j] === checkedName) rows.splice(j, 2);
      return;
    }
    rows.push(checkedName, checkedValue);
  }

  /** Names in order, each once with its values joined, but each Set-Cookie for itself. */
  #sorted(): [string, string][] {
    if (this.#pairs === undefined) {
      const names = new Set(this.#rows.filter((_, i) => i % 2 === 0));
      this.#pairs = [...names]
        .sort()
        .flatMap((name): [string, string][] =>
          name === 'set-cookie'
            ? this.getSetCookie().map((value) => [name, value])
            : [[name, this.get(name) as string]],
        );
    }
    return this.#pairs;
  }

  /** Looks at the list anew at each step, as Web IDL's iterators do. */
  *entries(): Generator<[string, string], undefined> {
    for (let i = 0; ; i++) {
      const pair = this.#sorted()[i];
      if (pair === undefined) return;
      yield [...pair];
    }
  }

  *keys(): Generator<string, undefined> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('Headers.forEach: not a function');
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }

  [Symbol.iterator](): Generator<[string, string], undefined> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }
}

export { fromRows, makeImmutable, rowsOf };

/** The rows of a head, as the host gives and takes them: each string with a NUL behind it. */
export function parseHead(head: string): string[] {
  const rows = head.split('\0');
  rows.pop();
  return rows;
}

export function headOf(headers: Headers): string {
  const rows = rowsOf(headers);
  return rows.length === 0 ? '' : `${rows.join('\0')}\0`;
}
