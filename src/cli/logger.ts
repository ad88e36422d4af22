/** The logger of the commands: lines for people where one looks, else pino's JSON; on standard error. */
import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { hasColours } from './terminal.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const STANDARD_ERROR = 2;

/** @param json JSON lines even on a terminal. */
export function createLogger(level: (typeof LOG_LEVELS)[number], json: boolean): Logger {
  // Written at once: what was logged just before the process ended is not lost.
  const destination = pino.destination({ dest: STANDARD_ERROR, sync: true });
  if (json || process.stderr.isTTY !== true) {
    return pino({ level }, destination);
  }
  const pretty = PinoPretty({
    colorize: hasColours(process.stderr),
    destination,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return pino({ level }, pretty);
}
