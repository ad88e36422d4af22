/** Processes of this machine, as /proc tells of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { detectDriver } from '../../src/drivers/detect.js';

/** Why guests cannot run in processes here, or false: for tap's `skip`. */
export function processesMissing(): string | false {
  const found = detectDriver('process');
  return found?.available === true ? false : `processes: ${found?.reason ?? 'no driver'}`;
}

interface ProcessStatus {
  /** As the kernel cuts it off, after 15 bytes. */
  readonly command: string;
  readonly parent: number;
}

/** `undefined` where it has ended, though its parent may not have heard of it. */
function statusOf(process: number): ProcessStatus | undefined {
  try {
    const stat = readFileSync(`/proc/${process}/stat`, 'latin1');
    const [, command = '', parent] = /\((.*)\) [^ZX] (\d+)/.exec(stat) ?? [];
    return parent === undefined ? undefined : { command, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

export const isAlive = (process: number): boolean => statusOf(process) !== undefined;

/** The children of a process, each followed by its own. */
export function descendants(of: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(all.map((process) => [process, statusOf(process)?.parent]));
  const below = (parent: number): number[] =>
    all
      .filter((process) => parents.get(process) === parent)
      .flatMap((child) => [child, ...below(child)]);
  return below(of);
}

/** Of the descendants of a process, those that make guests: the first started the others. */
export function spawnersOf(process: number): number[] {
  return descendants(process).filter((one) => statusOf(one)?.command === 'hatchery-spawne');
}

/** Of the descendants of a process, those that are guests, or become one. */
export function guestsOf(process: number): number[] {
  return descendants(process).filter((one) => statusOf(one)?.command === 'hatchery-launch');
}
