/** CPU lists of xl.cfg: `0-3,^2`, `all,^7`, `nodes:0-1,^node:1`. */

/** What must be known of the machine to read one. */
export interface HostCpus {
  /** Physical CPUs, numbered from 0. */
  readonly count: number;
  /** The NUMA node of each CPU, where it is known. */
  readonly nodes: readonly (number | undefined)[];
}

const PART = /^(\^?)(?:nodes?:)?(?:(all)|(\d+)(?:-(\d+))?)$/;
/** What libxl-config.ts has numbers for; Debian's Xen has at most 512 CPUs. */
const MAX_NUMBER = 4095;

/**
 * Reads a CPU list, from left to right: `^` takes away what stands there already.
 *
 * @returns the CPUs in ascending order, or what is wrong, to be said after the key.
 */
export function parseCpuList(text: string, host: HostCpus): number[] | string {
  const cpus = new Set<number>();
  for (const part of text.split(',').map((part) => part.trim())) {
    const match = PART.exec(part);
    if (match === null) {
      return `must be like "0-3,^2", "all,^7" or "nodes:0", not "${text}"`;
    }
    const [, not, all, from = '', to = from] = match;
    if (all !== undefined && not !== '') {
      return `cannot take all CPUs away: "${text}"`;
    }
    const [first, last] = all === undefined ? [Number(from), Number(to)] : [0, host.count - 1];
    if (first > last || last > MAX_NUMBER) {
      return `has a range that is none: "${part}"`;
    }
    const byNode = all === undefined && part.includes(':');
    for (const cpu of byNode ? cpusOfNodes(first, last, host) : numbers(first, last)) {
      if (not === '') cpus.add(cpu);
      else cpus.delete(cpu);
    }
  }
  return cpus.size === 0
    ? `leaves no CPU to run on: "${text}"`
    : [...cpus].sort((one, other) => one - other);
}

function cpusOfNodes(first: number, last: number, host: HostCpus): number[] {
  return numbers(0, host.count - 1).filter((cpu) => {
    const node = host.nodes[cpu];
    return node !== undefined && node >= first && node <= last;
  });
}

/** Whole numbers from `first` to `last`, both included. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
