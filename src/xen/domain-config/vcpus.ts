/** vCPUs: how many, where they may run, and how they share the CPUs. */
import type { BuildInfo } from '../libxl-config.js';
import { type HostCpus, numbers, parseCpuList } from './cpu-list.js';
import { definedOf, type Settings } from './settings.js';

/** As many as libxl-config.ts has numbers for; libxl refuses what is too much for a type of guest. */
const VCPUS = { minimum: 1, maximum: 4096 };

/** The part of `b_info` that is about vCPUs. */
export function vcpusFrom(settings: Settings, host: HostCpus | undefined): Partial<BuildInfo> {
  const online = settings.integer('vcpus', VCPUS);
  const maximum = settings.integer('maxvcpus', VCPUS) ?? online;
  if (online !== undefined && maximum !== undefined && maximum < online) {
    throw settings.invalid('maxvcpus', `must not be less than vcpus, which is ${online}`);
  }
  const vcpus = maximum ?? 1;
  const placedByHand = Array.isArray(settings.value('cpus')) || settings.has('cpus_soft');
  return definedOf({
    max_vcpus: maximum,
    avail_vcpus: online === undefined ? undefined : numbers(0, online - 1),
    vcpu_hard_affinity: affinityFrom(settings, 'cpus', vcpus, host),
    vcpu_soft_affinity: affinityFrom(settings, 'cpus_soft', vcpus, host),
    numa_placement: placedByHand ? false : undefined,
    sched_params: definedOf({
      weight: settings.integer('cpu_weight', { minimum: 1, maximum: 65_535 }),
      cap: settings.integer('cap'),
      period: settings.integer('period'),
      extratime: settings.integer('extratime', { minimum: 0, maximum: 1 }),
    }),
  });
}

/** The CPUs of each vCPU: the same for all, or those that a list gives to the first ones. */
function affinityFrom(
  settings: Settings,
  key: string,
  vcpus: number,
  host: HostCpus | undefined,
): number[][] | undefined {
  const value = settings.value(key);
  if (value === undefined) {
    return undefined;
  }
  const read = (text: string): number[] => {
    const cpus = parseCpuList(text, host);
    if (typeof cpus === 'string') {
      throw settings.invalid(key, cpus);
    }
    return cpus;
  };
  if (typeof value === 'string') {
    const cpus = read(value);
    return numbers(1, vcpus).map(() => cpus);
  }
  return settings.strings(key)?.slice(0, vcpus).map(read);
}
