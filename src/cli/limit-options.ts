/** The options that say what an instance may use: one for each limit. */
import type { Command } from 'commander';
import { DEFAULT_LIMITS, type Limits, MAX_COUNT, MAX_MILLISECONDS } from '../fabric/limits.js';
import { parseBytes, wholeNumber } from './values.js';

const UNITS = {
  milliseconds: { placeholder: '<milliseconds>', parse: wholeNumber(1, MAX_MILLISECONDS) },
  bytes: { placeholder: '<size>', parse: parseBytes },
  count: { placeholder: '<number>', parse: wholeNumber(0, MAX_COUNT) },
} as const;

interface LimitOption {
  readonly flag: string;
  readonly unit: keyof typeof UNITS;
  readonly meaning: string;
}

/** In the order in which the help shows them. */
export const LIMIT_OPTIONS: Readonly<Record<keyof Limits, LimitOption>> = {
  memoryBytes: {
    flag: '--memory',
    unit: 'bytes',
    meaning: 'memory of an instance, such as 64MiB',
  },
  wallMilliseconds: {
    flag: '--wall-ms',
    unit: 'milliseconds',
    meaning: 'time that a request may take',
  },
  cpuMilliseconds: {
    flag: '--cpu-ms',
    unit: 'milliseconds',
    meaning: 'processor time that a request may take',
  },
  startupMilliseconds: {
    flag: '--startup-ms',
    unit: 'milliseconds',
    meaning: 'time that start-up code may take',
  },
  maxRequestHeadBytes: {
    flag: '--max-request-head',
    unit: 'bytes',
    meaning: 'URL and headers of a request',
  },
  maxRequestBodyBytes: {
    flag: '--max-request-body',
    unit: 'bytes',
    meaning: 'body of a request',
  },
  maxResponseHeadBytes: {
    flag: '--max-response-head',
    unit: 'bytes',
    meaning: 'headers of a response',
  },
  maxResponseBodyBytes: {
    flag: '--max-response-body',
    unit: 'bytes',
    meaning: 'body of a response',
  },
  maxHeaders: {
    flag: '--max-headers',
    unit: 'count',
    meaning: 'headers of a request, and of a response',
  },
  maxHostCalls: {
    flag: '--max-host-calls',
    unit: 'count',
    meaning: 'host calls of a request',
  },
  maxHostCallsInFlight: {
    flag: '--max-host-calls-in-flight',
    unit: 'count',
    meaning: 'host calls of a request at a time',
  },
  maxHostCallBytes: {
    flag: '--max-host-call-bytes',
    unit: 'bytes',
    meaning: 'what one host call may carry',
  },
  hostCallMilliseconds: {
    flag: '--host-call-ms',
    unit: 'milliseconds',
    meaning: 'time that one host call may take',
  },
  maxLogBytes: {
    flag: '--max-log',
    unit: 'bytes',
    meaning: 'log text of a request',
  },
};

const ENTRIES = Object.entries(LIMIT_OPTIONS) as [keyof Limits, LimitOption][];

/** `64MiB` for what a person would call so. */
function shown(value: number, unit: LimitOption['unit']): string {
  if (unit !== 'bytes') {
    return String(value);
  }
  const mebibytes = value / 2 ** 20;
  return Number.isInteger(mebibytes) ? `${mebibytes}MiB` : `${value / 2 ** 10}KiB`;
}

export function addLimitOptions(command: Command): Command {
  for (const [name, { flag, unit, meaning }] of ENTRIES) {
    const { placeholder, parse } = UNITS[unit];
    const text = `${meaning} (default: ${shown(DEFAULT_LIMITS[name], unit)})`;
    command.option(`${flag} ${placeholder}`, text, parse);
  }
  return command;
}

/** The limits that were given; `options` as commander names them. */
export function limitsFrom(options: Readonly<Record<string, unknown>>): Partial<Limits> {
  const given = ENTRIES.map(([name, { flag }]) => [name, options[attributeOf(flag)]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** `maxLog` for `--max-log`. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
