import { host, LOG_LEVEL } from './host.js';
import { format, inspect } from './inspect.js';

const counts = new Map<string, number>();
const timers = new Map<string, number>();
let indent = '';

function write(level: number, values: readonly unknown[]): void {
  const text = format(values);
  host.log(level, indent === '' ? text : indent + text.replaceAll('\n', `\n${indent}`));
}

function elapsed(label: string): string | undefined {
  const start = timers.get(label);
  return start === undefined ? undefined : `${label}: ${(host.now() - start).toFixed(3)} ms`;
}

/** Rows and columns of a value that console.table can show. */
function tableText(data: object): string {
  const rows = Object.entries(data);
  const columns = new Set<string>();
  const valueColumn = 'Values';
  for (const [, row] of rows) {
    if (typeof row === 'object' && row !== null)
      for (const key of Object.keys(row)) columns.add(key);
    else columns.add(valueColumn);
  }
  const head = ['(index)', ...columns];
  const cell = (row: unknown, column: string): string => {
    if (typeof row !== 'object' || row === null) return column === valueColumn ? inspect(row) : '';
    return column in row ? inspect((row as Record<string, unknown>)[column]) : '';
  };
  const body = rows.map(([key, row]) => [key, ...[...columns].map((column) => cell(row, column))]);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...body.map((cells) => (cells[i] as string).length)),
  );
  const line = (cells: string[]): string =>
    cells.map((text, i) => text.padEnd(widths[i] as number)).join(' | ');
  return [line(head), widths.map((width) => '-'.repeat(width)).join('-+-'), ...body.map(line)].join(
    '\n',
  );
}

/** The Console standard's console: each call is one log record of the host. */
export const console = {
  assert(condition?: unknown, ...values: unknown[]): void {
    if (condition) return;
    const [first, ...rest] = values;
    if (typeof first === 'string') write(LOG_LEVEL.error, [`Assertion failed: ${first}`, ...rest]);
    else
      write(
        LOG_LEVEL.error,
        values.length === 0 ? ['Assertion failed'] : ['Assertion failed:', ...values],
      );
  },
  clear(): void {
    indent = '';
  },
  count(label = 'default'): void {
    const count = (counts.get(String(label)) ?? 0) + 1;
    counts.set(String(label), count);
    write(LOG_LEVEL.info, [`${label}: ${count}`]);
  },
  countReset(label = 'default'): void {
    if (!counts.delete(String(label))) write(LOG_LEVEL.warn, [`there is no count '${label}'`]);
  },
  debug: (...values: unknown[]): void => write(LOG_LEVEL.debug, values),
  dir: (value?: unknown): void => write(LOG_LEVEL.info, [inspect(value)]),
  dirxml: (...values: unknown[]): void => write(LOG_LEVEL.info, values),
  error: (...values: unknown[]): void => write(LOG_LEVEL.error, values),
  group(...values: unknown[]): void {
    if (values.length > 0) write(LOG_LEVEL.info, values);
    indent += '  ';
  },
  groupCollapsed: (...values: unknown[]): void => console.group(...values),
  groupEnd(): void {
    indent = indent.slice(2);
  },
  info: (...values: unknown[]): void => write(LOG_LEVEL.info, values),
  log: (...values: unknown[]): void => write(LOG_LEVEL.info, values),
  table(data?: unknown): void {
    const isTable = typeof data === 'object' && data !== null;
    write(LOG_LEVEL.info, isTable ? [tableText(data)] : [data]);
  },
  time(label = 'default'): void {
    if (timers.has(String(label))) write(LOG_LEVEL.warn, [`the timer '${label}' runs already`]);
    else timers.set(String(label), host.now());
  },
  timeEnd(label = 'default'): void {
    write(LOG_LEVEL.info, [elapsed(String(label)) ?? `there is no timer '${label}'`]);
    timers.delete(String(label));
  },
  timeLog(label = 'default', ...values: unknown[]): void {
    write(LOG_LEVEL.info, [elapsed(String(label)) ?? `there is no timer '${label}'`, ...values]);
  },
  trace(...values: unknown[]): void {
    const stack = (new Error().stack ?? '').split('\n').slice(1).join('\n');
    write(LOG_LEVEL.info, [`Trace${values.length > 0 ? `: ${format(values)}` : ''}\n${stack}`]);
  },
  warn: (...values: unknown[]): void => write(LOG_LEVEL.warn, values),
};

Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
