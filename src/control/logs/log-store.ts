/** The last lines that functions and instances logged, in memory. */
import type { EventOf } from '../../api/operation.js';
import type { Operations } from '../../api/operations.js';

export type LogLine = EventOf<Operations['followFunctionLogs']>;

/** Of each function and each instance. */
const KEPT_LINES = 1_000;
/** All of them together may be some hundreds of functions and instances. */
const KEPT_CHARACTERS = 128 * 1024;

class LogOfOne {
  readonly listeners = new Set<(line: LogLine) => void>();
  readonly lines: LogLine[] = [];
  #characters = 0;

  append(line: LogLine): void {
    this.lines.push(line);
    this.#characters += line.text.length;
    while (this.lines.length > KEPT_LINES || this.#characters > KEPT_CHARACTERS) {
      this.#characters -= (this.lines.shift() as LogLine).text.length;
    }
    for (const listener of this.listeners) {
      listener(line);
    }
  }
}

export class LogStore {
  readonly #logs = new Map<string, LogOfOne>();

  /** Begins to keep lines; those of others are dropped. */
  keep(name: string): void {
    if (!this.#logs.has(name)) {
      this.#logs.set(name, new LogOfOne());
    }
  }

  forget(name: string): void {
    this.#logs.delete(name);
  }

  append(name: string, line: LogLine): void {
    this.#logs.get(name)?.append(line);
  }

  /** The last lines, the oldest first. */
  tail(name: string, count: number): readonly LogLine[] {
    const lines = this.#logs.get(name)?.lines ?? [];
    return count === 0 ? [] : lines.slice(-count);
  }

  /** @returns what ends it. */
  listen(name: string, listener: (line: LogLine) => void): () => void {
    const log = this.#logs.get(name);
    log?.listeners.add(listener);
    return () => log?.listeners.delete(listener);
  }
}
