/** CPU lists of xl.cfg: `0-3,^2`, `all,^7`, `nodes:0`. */

/** What must be known of the machine to read one. */
export interface HostCpus {
  /** Physical CPUs, numbered from 0. */
  readonly count: number;
  /** NUMA nodes. */
  readonly nodes: number;
}

const PART = /^(\^?)(nodes?:)?(?:(all)|(\d+)(?:-(\d+))?)$/;
/** What libxl-config.ts has numbers for; Debian's Xen has at most 512 CPUs. */
const MAX_NUMBER = 4095;

/**
 * Reads a CPU list, from left to right: `^` takes away what stands there already.
 *
 * @param host undefined where there is no Xen to ask: then only plain numbers can be read
 * @returns the CPUs in ascending order, or what is wrong, to be said after the key
 */
export function parseCpuList(text: string, host: HostCpus | undefined): number[] | string {
  const cpus = new Set<number>();
  for (const part of text.split(',').map((word) => word.trim())) {
    const found = parsePart(part, host);
    if (typeof found === 'string') {
      return `${found}: "${text}"`;
    }
    for (const cpu of found.cpus) {
      if (found.not) cpus.delete(cpu);
      else cpus.add(cpu);
    }
  }
  return cpus.size === 0
    ? `leaves no CPU to run on: "${text}"`
    : [...cpus].sort((one, other) => one - other);
}

function parsePart(
  part: string,
  host: HostCpus | undefined,
): { readonly not: boolean; readonly cpus: readonly number[] } | string {
  const match = PART.exec(part);
  if (match === null) {
    return 'must be like "0-3,^2", "all,^7" or "nodes:0"';
  }
  const [, sign, byNode, all, from = '', to = from] = match;
  const not = sign !== '';
  const first = Number(from);
  const last = Number(to);
  if (all === undefined && byNode === undefined) {
    return first > last || last > MAX_NUMBER
      ? `has "${part}", which is no range`
      : { not, cpus: numbers(first, last) };
  }
  if (all !== undefined && not) {
    return 'cannot take all CPUs away';
  }
  if (host === undefined) {
    return `needs Xen to tell what "${part}" is`;
  }
  const whole = numbers(0, host.count - 1);
  if (all !== undefined) {
    return { not, cpus: whole };
  }
  if (host.nodes > 1) {
    return `cannot tell the CPUs of ${host.nodes} NUMA nodes apart yet; give the CPUs' numbers`;
  }
  return { not, cpus: first === 0 ? whole : [] };
}

/** Whole numbers from `first` to `last`, both included. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
