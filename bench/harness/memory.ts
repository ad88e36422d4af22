import { readdirSync, readFileSync } from 'node:fs';

function field(file: string, name: string): number {
  const line = readFileSync(file, 'utf8').match(new RegExp(`^${name}:\\s*(\\d+)`, 'm'));
  if (line === null) throw new Error(`${file} has no ${name}`);
  return Number(line[1]);
}

function children(processId: number): number[] {
  return readdirSync(`/proc/${processId}/task`).flatMap((thread) =>
    readFileSync(`/proc/${processId}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
}

/**
 * A process's share of the memory that it maps, in MiB: a page that several mappings show (a
 * snapshot's, in all its instances) counts once in all, where VmRSS counts it for each.
 */
export function proportionalMebibytes(processId: number): number {
  return field(`/proc/${processId}/smaps_rollup`, 'Pss') / 1024;
}

/** The same of a process and its descendants: what they take together. */
export function proportionalMebibytesOfAll(processId: number): number {
  return children(processId).reduce(
    (sum, child) => sum + proportionalMebibytesOfAll(child),
    proportionalMebibytes(processId),
  );
}

/** What the kernel thinks new programs could take, in MiB: less by all that anybody holds. */
export function availableMebibytes(): number {
  return field('/proc/meminfo', 'MemAvailable') / 1024;
}
