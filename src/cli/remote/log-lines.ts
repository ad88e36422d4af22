/** Lines that functions logged, for people and for programs. */
import type { HatcheryClient, LogLine } from '../../client/index.js';
import { stopSignal } from '../stop-signal.js';
import type { Terminal } from '../terminal.js';

export interface LogOptions {
  readonly follow?: true;
  readonly tail: number;
}

/** What has logs: functions and instances. */
type Logged = HatcheryClient['functions'] | HatcheryClient['instances'];

export async function showLogs(
  of: Logged,
  name: string,
  { follow, tail }: LogOptions,
  terminal: Terminal,
): Promise<void> {
  if (follow !== true) {
    for (const line of await of.logs(name, tail)) {
      show(line, terminal);
    }
    return;
  }
  const { signal } = abortOnStop();
  for await (const line of of.followLogs(name, { tail, signal })) {
    show(line, terminal);
  }
}

/** A signal that a person who stops the command gives. */
export function abortOnStop(): AbortController {
  const controller = new AbortController();
  stopSignal().then(() => controller.abort());
  return controller;
}

function show(line: LogLine, terminal: Terminal): void {
  const { at, level, text, requestId, instance } = line;
  const of = instance ?? requestId;
  const where = of === undefined ? '' : ` [${of}]`;
  const time = new Date(at).toISOString();
  terminal.result(`${time} ${level.padEnd(5)}${where} ${printable(text)}`, line);
}

/** What a function wrote must not take the terminal over. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
