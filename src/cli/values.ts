/** Reads the values of options. What is wrong with one is said in words, for commander to show. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { InvalidArgumentError } from 'commander';
import { HatcheryError } from '../errors.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

/** Bytes: `67108864`, `64MiB`, `1GiB`. */
export function parseBytes(text: string): number {
  const match = /^(\d+)\s*(|kib|mib|gib)$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? 'none'];
  if (match === null || unit === undefined) {
    throw new InvalidArgumentError('Give bytes, or a number with KiB, MiB or GiB: 64MiB.');
  }
  return Number(match[1]) * unit;
}

/** A whole number from `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`Give a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** One value of an option that may be repeated, added to those before it. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** One `--env KEY=VALUE`, added to those before it; the last of a name counts. */
export function collectEnv(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new InvalidArgumentError('Give KEY=VALUE.');
  }
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
}

/**
 * The variables of a file in the format that `node --env-file` reads.
 * @param option which one names it.
 * @throws HatcheryError INVALID_ARGUMENT
 */
export function readEnvFile(path: string, option = '--env-file'): Record<string, string> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch (cause) {
    const problem = `the file of ${option}, ${path}, cannot be read: ${(cause as Error).message}`;
    throw new HatcheryError('INVALID_ARGUMENT', { problem }, { cause });
  }
}
