/**
 * What libxl tells about domains and the host: the fields, and their names, of libxl's own
 * structures (libxl_types.idl of Xen 4.17). libxl leaves out what is false, 0 or empty.
 */
import type { DomainType, SchedulerName } from './libxl-config.js';

/** `libxl_shutdown_reason`: why a domain shut down. */
export type ShutdownReason =
  | 'unknown'
  | 'poweroff'
  | 'reboot'
  | 'suspend'
  | 'crash'
  | 'watchdog'
  | 'soft_reset';

/** `libxl_dominfo`, and the name, which libxl keeps apart. */
export interface DomainInfo {
  readonly domid: number;
  /** Undefined where xenstore has none: domains of the fast path, and dying ones. */
  readonly name?: string;
  readonly uuid: string;
  /** `hvm` of a PVH domain too: Xen makes no difference. Its configuration says what it is. */
  readonly domain_type?: DomainType | 'invalid';
  readonly running?: boolean;
  readonly blocked?: boolean;
  readonly paused?: boolean;
  readonly shutdown?: boolean;
  /** Destroyed, but not gone yet: something still maps its memory. */
  readonly dying?: boolean;
  readonly never_stop?: boolean;
  /** Only where `shutdown` is true. */
  readonly shutdown_reason?: ShutdownReason;
  /** KiB. */
  readonly current_memkb?: number;
  readonly max_memkb?: number;
  readonly outstanding_memkb?: number;
  readonly shared_memkb?: number;
  readonly paged_memkb?: number;
  /** Processor time of all vCPUs since creation, nanoseconds. */
  readonly cpu_time?: number;
  readonly vcpu_max_id?: number;
  readonly vcpu_online?: number;
  readonly cpupool?: number;
  readonly gpaddr_bits?: number;
  readonly ssidref?: number;
  readonly ssid_label?: string;
}

/** `libxl_vcpuinfo`. */
export interface VcpuInfo {
  readonly vcpuid: number;
  /** The processor that it runs on, or ran on last. */
  readonly cpu?: number;
  readonly online?: boolean;
  readonly blocked?: boolean;
  readonly running?: boolean;
  /** Nanoseconds. */
  readonly vcpu_time?: number;
  /** Processors that it may run on: hard affinity, and soft. */
  readonly cpumap?: readonly number[];
  readonly cpumap_soft?: readonly number[];
}

/** `libxl_cpupoolinfo`. */
export interface CpupoolInfo {
  readonly poolid: number;
  readonly pool_name?: string;
  readonly sched?: SchedulerName;
  /** Domains in it. */
  readonly n_dom?: number;
  /** Its processors. */
  readonly cpumap?: readonly number[];
}

/** `libxl_physinfo`: the host. Pages are of 4096 bytes. */
export interface PhysicalInfo {
  readonly threads_per_core?: number;
  readonly cores_per_socket?: number;
  readonly max_cpu_id?: number;
  readonly nr_cpus?: number;
  readonly cpu_khz?: number;
  readonly total_pages?: number;
  readonly free_pages?: number;
  readonly scrub_pages?: number;
  readonly outstanding_pages?: number;
  readonly nr_nodes?: number;
  readonly cap_hvm?: boolean;
  readonly cap_pv?: boolean;
  readonly cap_hap?: boolean;
  readonly cap_shadow?: boolean;
}

/** `libxl_version_info`. */
export interface VersionInfo {
  readonly xen_version_major: number;
  readonly xen_version_minor: number;
  /** `.7`, and what the distribution adds. */
  readonly xen_version_extra: string;
  readonly compiler?: string;
  readonly compile_date?: string;
  /** Kinds of guests: `xen-3.0-x86_64 hvm-3.0-x86_32 …`. */
  readonly capabilities: string;
  readonly changeset?: string;
  readonly pagesize?: number;
  readonly commandline?: string;
  readonly build_id?: string;
}

/** Memory of a domain, KiB. */
export interface MemoryTarget {
  readonly targetKib: number;
  readonly maximumKib: number;
}
