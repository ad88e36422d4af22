/**
 * The settings of an xl.cfg file, read with their types checked.
 *
 * libxlutil gives every value as a string or a list, numbers too: what a value must be is known only
 * to whoever reads its key. xl warns about a wrong type and goes on without the value; here it is an
 * error, because a domain with a limit silently left out is not what its owner wrote.
 */
import { HatcheryError } from '../../errors.js';
import type { XlValue } from '../xl-config-file.js';

/** One `key = value`, or what several `key += value` have added up to. */
export interface Setting {
  readonly value: XlValue;
  /** `FILE:LINE` of its last assignment, or `the command line`. */
  readonly place: string;
}

/** What a file says in vain. */
export interface ConfigWarning {
  readonly key: string;
  /** As in {@link Setting}. */
  readonly place: string;
  /** Goes on after the key. */
  readonly text: string;
}

/** A whole number as C's strtol with base 0 reads it: decimal, octal (0…) or hexadecimal (0x…). */
const INTEGER = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;

/** @returns undefined where `text` is not a whole number. */
export function integerFrom(text: string): number | undefined {
  const match = INTEGER.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, sign, digits = ''] = match;
  const octal = /^0[0-7]+$/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  return sign === '-' ? 0 - value : value;
}

/** Bounds of a whole number, both included. */
export interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

const UINT32: Bounds = { minimum: 0, maximum: 2 ** 32 - 1 };

/** Reads settings, and keeps account of which were read. */
export class Settings {
  readonly warnings: ConfigWarning[] = [];
  readonly #settings: ReadonlyMap<string, Setting>;
  readonly #file: string;
  readonly #read = new Set<string>();

  /** @param file where a key that is missing would be. */
  constructor(settings: ReadonlyMap<string, Setting>, file: string) {
    this.#settings = settings;
    this.#file = file;
  }

  has(key: string): boolean {
    return this.#settings.has(key);
  }

  /** Keys that nobody has asked for. */
  unread(): string[] {
    return [...this.#settings.keys()].filter((key) => !this.#read.has(key));
  }

  /** The value whatever its type is. */
  value(key: string): XlValue | undefined {
    this.#read.add(key);
    return this.#settings.get(key)?.value;
  }

  string(key: string): string | undefined {
    const value = this.value(key);
    if (value !== undefined && typeof value !== 'string') {
      throw this.invalid(key, 'is a list, but must be a single value');
    }
    return value;
  }

  /** A whole number; of 32 bits and without a sign where no bounds are given. */
  integer(key: string, { minimum, maximum }: Bounds = UINT32): number | undefined {
    const text = this.string(key);
    if (text === undefined) {
      return undefined;
    }
    const value = integerFrom(text);
    if (value === undefined) {
      throw this.invalid(key, `must be a whole number, not "${text}"`);
    }
    if (value < minimum || value > maximum) {
      throw this.invalid(key, `must be from ${minimum} to ${maximum}, not ${text}`);
    }
    return value;
  }

  /** A number of MiB, given in KiB as libxl wants it. */
  kibibytes(key: string, bounds: Bounds = { minimum: 0, maximum: 2 ** 40 }): number | undefined {
    const megabytes = this.integer(key, bounds);
    return megabytes === undefined ? undefined : megabytes * 1024;
  }

  /** 0 is false and every other number true. */
  flag(key: string): boolean | undefined {
    const value = this.integer(key, { minimum: -(2 ** 31), maximum: 2 ** 31 });
    return value === undefined ? undefined : value !== 0;
  }

  /** One of the names in `names`, as what it stands for. */
  choice<T>(key: string, names: Readonly<Record<string, T>>): T | undefined {
    const text = this.string(key);
    if (text === undefined) {
      return undefined;
    }
    if (!Object.hasOwn(names, text)) {
      throw this.invalid(key, `must be one of ${Object.keys(names).join(', ')}, not "${text}"`);
    }
    return names[text];
  }

  /** A list of single values. */
  strings(key: string): string[] | undefined {
    const value = this.value(key);
    if (typeof value === 'string') {
      throw this.invalid(key, 'is a single value, but must be a list: [ … ]');
    }
    return value?.map((item) => {
      if (typeof item !== 'string') {
        throw this.invalid(key, 'must be a list of single values, without lists in it');
      }
      return item;
    });
  }

  /** What a parser of libxlutil makes of a part of a value, with its error placed. */
  parsed<T>(key: string, part: string, parse: (part: string) => T): T {
    try {
      return parse(part);
    } catch (error) {
      const { details } = HatcheryError.from(error);
      throw details.problem === undefined
        ? error
        : this.invalid(key, `has "${part}": ${details.problem}`);
    }
  }

  /** An error that names file, line and key. @param problem goes on after the key. */
  invalid(key: string, problem: string): HatcheryError {
    return new HatcheryError('CONFIGURATION_INVALID', {
      path: this.#place(key),
      problem: `${key} ${problem}`,
    });
  }

  warn(key: string, text: string): void {
    this.warnings.push({ key, place: this.#place(key), text });
  }

  #place(key: string): string {
    return this.#settings.get(key)?.place ?? this.#file;
  }
}

/** `T` with its optional properties left out where they are undefined. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> } extends infer D ? Partial<D> : never;

/** The object without the properties that are undefined: libxl's JSON has no such value. */
export function definedOf<const T extends object>(object: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as Defined<T>;
}
