/** A logger that also tells what is logged of functions: by guests, and of how they failed. */
import type { BaseLogger, LogFn } from 'pino';
import type { Observation } from './observations.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

type Level = (typeof LEVELS)[number];

interface Context {
  readonly function?: string;
  readonly requestId?: string;
  readonly code?: string;
  readonly trace?: string;
}

/**
 * @param logger gets everything, too.
 * @param add gets what concerns a function, whatever the logger's level is.
 * @param instance the spawned instance that this logger is of.
 */
export function observedLogger(
  logger: BaseLogger,
  add: (observation: Observation) => void,
  instance?: string,
): BaseLogger {
  const forLevel = (level: Level): LogFn =>
    function log(first: unknown, ...rest: unknown[]): void {
      (logger[level] as (...all: unknown[]) => void)(first, ...rest);
      const [text] = rest;
      if (typeof first === 'object' && first !== null && typeof text === 'string') {
        tell(first as Context, level, text);
      }
    };
  const tell = ({ function: name, requestId, trace }: Context, level: Level, text: string) => {
    if (name !== undefined) {
      const whole = trace === undefined ? text : `${text}\n${trace}`;
      const common = { at: Date.now(), function: name, requestId };
      const of = instance === undefined ? common : { ...common, instance };
      add({ kind: 'log', ...of, level, text: whole });
    }
  };
  const methods = Object.fromEntries(LEVELS.map((level) => [level, forLevel(level)]));
  return {
    ...(methods as Record<Level, LogFn>),
    level: logger.level,
    silent: () => {},
    msgPrefix: '',
  };
}
