/** What commands of `hatchery domain` give, in this process: one of Node's own takes seconds to start in the lab. */

import { Terminal } from '../../src/cli/terminal.js';

/** Keeps the results of commands, in place of printing them. */
export class Recorder extends Terminal {
  readonly results: object[] = [];

  constructor() {
    super(true);
  }

  override result(_text: string, object: object): void {
    this.results.push(object);
  }
}

/** What a command gives with --json. */
export async function resultOf<T = Record<string, unknown>>(
  command: (terminal: Terminal) => Promise<number>,
): Promise<T> {
  const terminal = new Recorder();
  const code = await command(terminal);
  if (code !== 0) {
    throw new Error(`the command gave the code ${code}`);
  }
  return terminal.results[0] as T;
}
