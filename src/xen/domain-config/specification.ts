/**
 * Device specifications: the strings `key=value,key=value,flag` that vif, vfb, channel and their like
 * are lists of.
 */
import type { HatcheryError } from '../../errors.js';
import { integerFrom, type Settings } from './settings.js';

/** One part of a specification, and how errors in it are said. */
export class Specification {
  readonly #settings: Settings;
  readonly #key: string;
  readonly #text: string;
  readonly #values = new Map<string, string>();
  readonly #read = new Set<string>();

  /** @param key the setting that the specification stands in. */
  constructor(settings: Settings, key: string, text: string) {
    this.#settings = settings;
    this.#key = key;
    this.#text = text;
    for (const part of text.split(',')) {
      const equals = part.indexOf('=');
      const name = (equals < 0 ? part : part.slice(0, equals)).trim();
      if (name !== '' || equals >= 0) {
        this.#values.set(name, equals < 0 ? '' : part.slice(equals + 1).trim());
      }
    }
  }

  /** Whether the word stands there, with a value or without. */
  flag(name: string): boolean {
    this.#read.add(name);
    return this.#values.has(name);
  }

  string(name: string): string | undefined {
    this.#read.add(name);
    return this.#values.get(name);
  }

  /** The first word without a value that nobody has asked for. */
  takePositional(): string | undefined {
    const found = [...this.#values].find(([name, value]) => value === '' && !this.#read.has(name));
    if (found !== undefined) {
      this.#read.add(found[0]);
    }
    return found?.[0];
  }

  required(name: string): string {
    const value = this.string(name);
    if (value === undefined || value === '') {
      throw this.invalid(`has no ${name}=`);
    }
    return value;
  }

  integer(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) {
      return undefined;
    }
    const value = integerFrom(text);
    if (value === undefined || value < 0 || value >= 2 ** 31) {
      throw this.invalid(`has a ${name} that is no number: "${text}"`);
    }
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.integer(name);
    return value === undefined ? undefined : value !== 0;
  }

  /** `trusted` or `untrusted`; undefined where neither is there. */
  trust(): boolean | undefined {
    const trusted = this.flag('trusted');
    const untrusted = this.flag('untrusted');
    if (trusted && untrusted) {
      throw this.invalid('is both trusted and untrusted');
    }
    return trusted || untrusted ? trusted : undefined;
  }

  choice<T>(name: string, names: Readonly<Record<string, T>>): T | undefined {
    const text = this.string(name);
    if (text === undefined) {
      return undefined;
    }
    if (!Object.hasOwn(names, text)) {
      throw this.invalid(`has an unknown ${name}: ${text}, not ${Object.keys(names).join(', ')}`);
    }
    return names[text];
  }

  /** Warns of the words that nobody has asked for: the domain is made without them, as by xl. */
  end(): void {
    for (const name of this.#values.keys()) {
      if (!this.#read.has(name)) {
        this.#settings.warn(this.#key, `"${this.#text}": ${name} is not used`);
      }
    }
  }

  /** @param problem goes on after the specification. */
  invalid(problem: string): HatcheryError {
    return this.#settings.invalid(this.#key, `"${this.#text}" ${problem}`);
  }
}

/**
 * Reads each specification of a list.
 * @throws HatcheryError CONFIGURATION_INVALID
 */
export function specificationsOf<T>(
  settings: Settings,
  key: string,
  read: (specification: Specification, index: number) => T,
): T[] | undefined {
  return settings.strings(key)?.map((text, index) => {
    const specification = new Specification(settings, key, text);
    const device = read(specification, index);
    specification.end();
    return device;
  });
}
