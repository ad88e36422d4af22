const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Decodes what decodeURIComponent refuses: stray percent signs and bytes that are not UTF-8. */
function decodeLeniently(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const result = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] as number;
    if (byte === 0x25) {
      const digits = String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0);
      if (/^[0-9a-fA-F]{2}$/.test(digits)) {
        byte = Number.parseInt(digits, 16);
        i += 2;
      }
    }
    result[length++] = byte;
  }
  return decoder.decode(result.subarray(0, length));
}

function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return decodeLeniently(spaced);
  }
}

const ENCODED_OTHERWISE = /%20|[!'()~]/g;
const OTHERWISE: Record<string, string> = {
  '%20': '+',
  '!': '%21',
  "'": '%27',
  '(': '%28',
  ')': '%29',
  '~': '%7E',
};

function encode(text: string): string {
  return encodeURIComponent(text).replace(ENCODED_OTHERWISE, (found) => OTHERWISE[found] as string);
}

function scalar(value: unknown): string {
  return (typeof value === 'string' ? value : String(value)).toWellFormed();
}

/** Parses application/x-www-form-urlencoded text into a row of names and values. */
export function parseUrlEncoded(text: string): string[] {
  const rows: string[] = [];
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals < 0) rows.push(decode(part), '');
    else rows.push(decode(part.slice(0, equals)), decode(part.slice(equals + 1)));
  }
  return rows;
}

export type URLSearchParamsInit = string | Iterable<readonly string[]> | Record<string, string>;

/** Gives the parameters new text, and a function that is told when they change. */
let bindParameters: (
  parameters: URLSearchParams,
  text: string,
  onChange: (text: string) => void,
) => void;

/** The URL standard's URLSearchParams. */
export class URLSearchParams {
  #rows: string[] = [];
  #onChange: ((text: string) => void) | undefined;

  static {
    bindParameters = (parameters, text, onChange) => {
      parameters.#rows = parseUrlEncoded(text);
      parameters.#onChange = onChange;
    };
  }

  constructor(init: URLSearchParamsInit = '') {
    if ((typeof init === 'object' && init !== null) || typeof init === 'function') {
      this.#fill(init);
    } else {
      const text = scalar(init);
      this.#rows = parseUrlEncoded(text.startsWith('?') ? text.slice(1) : text);
    }
  }

  #fill(init: Iterable<readonly string[]> | Record<string, string>): void {
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<readonly string[]>) {
        const items = [...pair];
        if (items.length !== 2) {
          throw new TypeError('URLSearchParams: each item must be a pair of name and value');
        }
        this.#rows.push(scalar(items[0]), scalar(items[1]));
      }
      return;
    }
    const record = new Map<string, string>();
    for (const name of Reflect.ownKeys(init)) {
      if (Object.getOwnPropertyDescriptor(init, name)?.enumerable !== true) continue;
      if (typeof name === 'symbol') throw new TypeError('URLSearchParams: a symbol is no name');
      record.set(scalar(name), scalar(init[name]));
    }
    for (const [name, value] of record) this.#rows.push(name, value);
  }

  #changed(): void {
    this.#onChange?.(this.toString());
  }

  get size(): number {
    return this.#rows.length / 2;
  }

  append(name: string, value: string): void {
    this.#rows.push(scalar(name), scalar(value));
    this.#changed();
  }

  delete(name: string, value?: string): void {
    const wantedName = scalar(name);
    const wantedValue = value === undefined ? undefined : scalar(value);
    const rows = this.#rows;
    for (let i = rows.length - 2; i >= 0; i -= 2) {
      if (rows[i] !== wantedName) continue;
      if (wantedValue === undefined || rows[i + 1] === wantedValue) rows.splice(i, 2);
    }
    this.#changed();
  }

  get(name: string): string | null {
    const wanted = scalar(name);
    const rows = this.#rows;
    for (let i = 0; i < rows.length; i += 2) if (rows[i] === wanted) return rows[i + 1] as string;
    return null;
  }

  getAll(name: string): string[] {
    const wanted = scalar(name);
    return this.#rows.filter((_, i, rows) => i % 2 === 1 && rows[i - 1] === wanted);
  }

  has(name: string, value?: string): boolean {
    if (value === undefined) return this.get(name) !== null;
    return this.getAll(name).includes(scalar(value));
  }

  set(name: string, value: string): void {
    const wanted = scalar(name);
    const rows = this.#rows;
    let first = 0;
    while (first < rows.length && rows[first] !== wanted) first += 2;
    rows[first] = wanted;
    rows[first + 1] = scalar(value);
    for (let i = rows.length - 2; i > first; i -= 2) if (rows[i] === wanted) rows.splice(i, 2);
    this.#changed();
  }

  /** Sorts by name in the order of UTF-16 code units; equal names keep their order. */
  sort(): void {
    const pairs = [...this.entries()];
    pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#rows = pairs.flat();
    this.#changed();
  }

  toString(): string {
    const rows = this.#rows;
    let text = '';
    for (let i = 0; i < rows.length; i += 2) {
      text += `${i === 0 ? '' : '&'}${encode(rows[i] as string)}=${encode(rows[i + 1] as string)}`;
    }
    return text;
  }

  *entries(): Generator<[string, string], undefined> {
    for (let i = 0; i < this.#rows.length; i += 2) {
      yield [this.#rows[i] as string, this.#rows[i + 1] as string];
    }
  }

  *keys(): Generator<string, undefined> {
    for (let i = 0; i < this.#rows.length; i += 2) yield this.#rows[i] as string;
  }

  *values(): Generator<string, undefined> {
    for (let i = 1; i < this.#rows.length; i += 2) yield this.#rows[i] as string;
  }

  forEach(
    callback: (value: string, name: string, parameters: URLSearchParams) => void,
    self?: unknown,
  ): void {
    if (typeof callback !== 'function') throw new TypeError('forEach: not a function');
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }

  [Symbol.iterator](): Generator<[string, string], undefined> {
    return this.entries();
  }

  get [Symbol.toStringTag](): string {
    return 'URLSearchParams';
  }
}

export { bindParameters };
