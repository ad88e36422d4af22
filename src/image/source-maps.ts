/** Turns positions in a bundle, as a guest's stack traces give them, into positions in the source. */
import { relative } from 'node:path';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';

/** The name that a guest gives to the function's module in its traces. */
export const MODULE_NAME = 'function.js';

/** A frame's position: `name (file:line:column)` or `file:line:column`, both counted from 1. */
const POSITION = /(^|[\s(])([^\s():]+):(\d+):(\d+)(?=\)?$)/;

/** Maps traces of one bundle. Parses its map when the first trace comes. */
export class TraceMapper {
  readonly #map: string;
  readonly #folder: string;
  #parsed: TraceMap | undefined;

  /**
   * @param map as in {@link Bundle}.
   * @param folder absolute; files are named relative to it. Default: the working directory.
   */
  constructor(map: string, folder = process.cwd()) {
    this.#map = map;
    this.#folder = folder;
  }

  /**
   * @param stack frames in QuickJS's notation, one a line; not trusted.
   * @returns the same with files (relative to the folder), lines and columns of the
   *   source; frames that are not of the bundle stay as they are.
   */
  apply(stack: string): string {
    return stack
      .split('\n')
      .map((frame) => frame.replace(POSITION, (...match) => this.#mapped(match as string[])))
      .join('\n');
  }

  #mapped([all, before, file, line, column]: string[]): string {
    if (file !== MODULE_NAME) {
      return all as string;
    }
    this.#parsed ??= new TraceMap(this.#map);
    const position = originalPositionFor(this.#parsed, {
      line: Number(line),
      column: Math.max(0, Number(column) - 1),
    });
    return position.source === null
      ? (all as string)
      : `${before}${relative(this.#folder, position.source)}:${position.line}:${position.column + 1}`;
  }
}
