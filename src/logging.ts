/** The logger of the commands and of worker processes, on standard error. */
import { createRequire } from 'node:module';
import { type Logger, pino } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

const STANDARD_ERROR = 2;

/** Loaded only where a person looks, for it takes memory. */
const require = createRequire(import.meta.url);

/** Colours only where a person looks, and not where NO_COLOR (no-color.org) is set. */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR;
}

/**
 * Lines for people where one looks, else pino's JSON.
 * @param json JSON lines even on a terminal.
 */
export function createLogger(level: LogLevel, json: boolean): Logger {
  // Written at once: what was logged just before the process ended is not lost.
  const destination = pino.destination({ dest: STANDARD_ERROR, sync: true });
  if (json || process.stderr.isTTY !== true) {
    return pino({ level }, destination);
  }
  const { PinoPretty } = require('pino-pretty') as typeof import('pino-pretty');
  const pretty = PinoPretty({
    colorize: hasColours(process.stderr),
    destination,
    ignore: 'hostname',
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return pino({ level }, pretty);
}
