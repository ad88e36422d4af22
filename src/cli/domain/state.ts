/** What a person reads of a domain's state, and tables of it. */
import type { DomainType } from '../../xen/libxl-config.js';
import type { DomainInfo } from '../../xen/libxl-info.js';

/** One word for what a domain does. */
export function stateOf(domain: DomainInfo): string {
  if (domain.dying) {
    return 'dying';
  }
  if (domain.shutdown) {
    return `shut down (${domain.shutdown_reason ?? 'unknown'})`;
  }
  if (domain.paused) {
    return 'paused';
  }
  return domain.running ? 'running' : 'blocked';
}

/** What commands print of a domain with --json. */
export interface DomainSummary {
  readonly domid: number;
  readonly name: string | null;
  readonly uuid: string;
  readonly type: string | null;
  readonly state: string;
  readonly memoryKib: number;
  readonly vcpus: number;
  readonly cpuSeconds: number;
}

const NANOSECONDS = 1e9;

/** @param type from the domain's configuration, which tells PVH and HVM apart; Xen's list does not */
export function summaryOf(domain: DomainInfo, type?: DomainType): DomainSummary {
  return {
    domid: domain.domid,
    name: domain.name ?? null,
    uuid: domain.uuid,
    type: type ?? listedType(domain),
    state: stateOf(domain),
    memoryKib: (domain.current_memkb ?? 0) + (domain.outstanding_memkb ?? 0),
    vcpus: domain.vcpu_online ?? 0,
    cpuSeconds: (domain.cpu_time ?? 0) / NANOSECONDS,
  };
}

function listedType({ domain_type }: DomainInfo): string | null {
  return domain_type === 'hvm' ? 'pvh or hvm' : (domain_type ?? null);
}
