import { errorText } from './errors.js';

const MAX_DEPTH = 4;
const MAX_ITEMS = 100;
const MAX_STRING = 2000;
const LINE_WIDTH = 76;

function quote(text: string): string {
  const shown = text.length > MAX_STRING ? `${text.slice(0, MAX_STRING)}…` : text;
  return `'${JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

function keyText(key: string | symbol): string {
  if (typeof key === 'symbol') return `[${String(key)}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
}

function functionText(value: object): string {
  const { name } = value as { name?: unknown };
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  const label = typeof name === 'string' && name !== '' ? name : '(anonymous)';
  return isClass ? `[class ${label}]` : `[Function: ${label}]`;
}

function constructorName(value: object): string {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null;
  if (prototype === null) return '[null prototype]';
  const name = prototype.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'Object';
}

/** Puts items on one line if they fit, else each on its own. */
function layOut(open: string, items: string[], close: string, depth: number): string {
  if (items.length === 0) return open + close;
  const line = `${open} ${items.join(', ')} ${close}`;
  if (line.length <= LINE_WIDTH && !line.includes('\n')) return line;
  const indent = '  '.repeat(depth + 1);
  return `${open}\n${indent}${items.join(`,\n${indent}`)}\n${'  '.repeat(depth)}${close}`;
}

class Inspection {
  readonly #path: object[] = [];

  value(value: unknown, depth: number): string {
    switch (typeof value) {
      case 'string':
        return quote(value);
      case 'bigint':
        return `${value}n`;
      case 'symbol':
        return String(value);
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'function':
        return functionText(value);
      case 'object':
        return value === null ? 'null' : this.#object(value, depth);
      default:
        return String(value);
    }
  }

  #object(value: object, depth: number): string {
    if (this.#path.includes(value)) return '[Circular]';
    if (depth > MAX_DEPTH) return Array.isArray(value) ? '[Array]' : `[${constructorName(value)}]`;
    this.#path.push(value);
    try {
      return this.#members(value, depth);
    } finally {
      this.#path.pop();
    }
  }

  #members(value: object, depth: number): string {
    if (value instanceof Error) {
      const text = errorText(value);
      const { cause } = value;
      return cause === undefined ? text : `${text}\n[cause]: ${this.value(cause, depth + 1)}`;
    }
    if (value instanceof RegExp) return String(value);
    if (value instanceof Date)
      return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      return `[${constructorName(value)}: ${this.value(value.valueOf(), depth)}]`;
    }
    if (value instanceof Promise) return 'Promise {}';
    const name = constructorName(value);
    if (Array.isArray(value)) {
      return layOut(
        name === 'Array' ? '[' : `${name}(${value.length}) [`,
        this.#array(value, depth),
        ']',
        depth,
      );
    }
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      const items = Array.from(value as unknown as ArrayLike<unknown>);
      return layOut(`${name}(${items.length}) [`, this.#array(items, depth), ']', depth);
    }
    if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
    if (value instanceof Map) {
      const items = [...value].map(
        ([key, item]) => `${this.value(key, depth + 1)} => ${this.value(item, depth + 1)}`,
      );
      return layOut(`${name}(${value.size}) {`, items, '}', depth);
    }
    if (value instanceof Set) {
      const items = [...value].map((item) => this.value(item, depth + 1));
      return layOut(`${name}(${value.size}) {`, items, '}', depth);
    }
    return layOut(
      name === 'Object' ? '{' : `${name} {`,
      this.#properties(value, depth),
      '}',
      depth,
    );
  }

  #array(items: readonly unknown[], depth: number): string[] {
    const texts: string[] = [];
    for (let i = 0; i < Math.min(items.length, MAX_ITEMS); i++) {
      texts.push(i in items ? this.value(items[i], depth + 1) : '<empty>');
    }
    if (items.length > MAX_ITEMS) texts.push(`… ${items.length - MAX_ITEMS} more`);
    return texts;
  }

  #properties(value: object, depth: number): string[] {
    return this.#entries(value)
      .slice(0, MAX_ITEMS)
      .map(
        ([key, text]) =>
          `${keyText(key)}: ${typeof text === 'string' ? text : this.value(text.value, depth + 1)}`,
      );
  }

  /** Own enumerable properties; of the web's own classes the entries that they iterate over. */
  #entries(value: object): [string | symbol, string | { value: unknown }][] {
    if (Symbol.toStringTag in value && Symbol.iterator in value && 'entries' in value) {
      const pairs = [...(value as unknown as Iterable<[string, unknown]>)];
      return pairs.map(([key, item]) => [key, { value: item }]);
    }
    return Reflect.ownKeys(value).flatMap(
      (key): [string | symbol, string | { value: unknown }][] => {
        const property = Object.getOwnPropertyDescriptor(value, key);
        if (property?.enumerable !== true) return [];
        if (property.get !== undefined || property.set !== undefined)
          return [[key, '[Getter/Setter]']];
        return [[key, { value: property.value }]];
      },
    );
  }
}

/** A value as the console shows it. Getters of the program's own are not called. */
export function inspect(value: unknown): string {
  return new Inspection().value(value, 0);
}

/** console.log's arguments as one text: %s %d %i %f %j %o %O %c in the first, then the rest. */
export function format(values: readonly unknown[]): string {
  const rest = [...values];
  const parts: string[] = [];
  if (typeof rest[0] === 'string' && rest.length > 1) {
    const template = rest.shift() as string;
    parts.push(
      template.replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === '%%') return '%';
        return rest.length === 0 ? mark : formatOne(mark, rest.shift());
      }),
    );
  }
  for (const value of rest) parts.push(typeof value === 'string' ? value : inspect(value));
  return parts.join(' ');
}

function formatOne(mark: string, value: unknown): string {
  switch (mark) {
    case '%s':
      return typeof value === 'string' ? value : inspect(value);
    case '%d':
      return typeof value === 'bigint' ? `${value}n` : String(Number(value as never));
    case '%i':
      return String(Number.parseInt(String(value), 10));
    case '%f':
      return String(Number.parseFloat(String(value)));
    case '%j':
      return JSON.stringify(value) ?? 'undefined';
    case '%c':
      return '';
    default:
      return inspect(value);
  }
}
