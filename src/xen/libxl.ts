/**
 * libxl, Xen's toolstack library, for TypeScript: everything that a domain can need.
 *
 * All threads of a process share one libxl context. No method blocks the event loop: libxl is called
 * on threads of the addon's. A method rejects with a HatcheryError: LIBXL_FAILED where libxl failed
 * (`libxlFailure` gives libxl's code and its log lines), CONFIGURATION_INVALID or INVALID_ARGUMENT where the
 * arguments are wrong, XEN_UNAVAILABLE where there is no Xen to talk to.
 */
import { type DomainConsole, openConsole } from './console.js';
import {
  checkDomid,
  checkDomidOrZero,
  checkName,
  checkNumber,
  checkNumbers,
} from './libxl-arguments.js';
import {
  checkDisk,
  checkDomainConfig,
  checkNic,
  checkSchedulerParameters,
  type Disk,
  type DomainConfig,
  type Nic,
  type SchedulerName,
  type SchedulerParameters,
} from './libxl-config.js';
import { type DomainEvent, domainEvents } from './libxl-events.js';
import { libxlFailure } from './libxl-failure.js';
import type {
  CpupoolInfo,
  DomainInfo,
  MemoryTarget,
  PhysicalInfo,
  VcpuInfo,
  VersionInfo,
} from './libxl-info.js';
import { type Abortable, type LibxlRequests, openRequests } from './libxl-requests.js';
import { readSaveFile, writeSaveFile } from './save-file.js';

export type { DomainConsole } from './console.js';
export type { DomainEvent } from './libxl-events.js';
export type { Abortable } from './libxl-requests.js';

export interface SaveOptions extends Abortable {
  /** What becomes of the domain once it is saved; default `destroyed`. */
  readonly leave?: 'destroyed' | 'paused' | 'running';
}

export interface RestoreOptions extends Abortable {
  /** Another name than that in the file. */
  readonly name?: string;
}

export class Libxl implements AsyncDisposable {
  readonly #requests: LibxlRequests;

  private constructor(requests: LibxlRequests) {
    this.#requests = requests;
  }

  /**
   * Takes a share in the process's libxl context, which the first to come makes.
   * @throws HatcheryError ADDON_MISSING, XEN_UNAVAILABLE
   */
  static async open(): Promise<Libxl> {
    return new Libxl(await openRequests());
  }

  /** Gives the share back, once the operations under way have ended. Iterators of events end. */
  close(): Promise<void> {
    return this.#requests.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // The host.

  version(): Promise<VersionInfo> {
    return this.#requests.request('version');
  }

  physicalInfo(): Promise<PhysicalInfo> {
    return this.#requests.request('physicalInfo');
  }

  /** Memory that no domain has, KiB. */
  freeMemory(): Promise<number> {
    return this.#requests.request('freeMemory');
  }

  // Domains.

  /**
   * Creates a domain and leaves it paused: {@link unpauseDomain} starts it. Its console exists by then.
   * If that fails, libxl has destroyed again what it made of it.
   * @returns its number
   */
  async createDomain(config: DomainConfig, { signal }: Abortable = {}): Promise<number> {
    const checked = checkDomainConfig(config);
    return this.#requests.request('createDomain', { values: [checked], signal });
  }

  async pauseDomain(domid: number): Promise<void> {
    await this.#requests.request('pauseDomain', { numbers: [checkDomid(domid)] });
  }

  async unpauseDomain(domid: number): Promise<void> {
    await this.#requests.request('unpauseDomain', { numbers: [checkDomid(domid)] });
  }

  /**
   * Asks the guest to power itself off; ends when the guest has taken note, for which libxl gives it a
   * minute (ERROR_TIMEDOUT). The event `shutdown` says when it has done so. libxl refuses where the guest
   * has no PV drivers (ERROR_NOPARAVIRT): see destroyDomain.
   */
  async shutdownDomain(domid: number, { signal }: Abortable = {}): Promise<void> {
    await this.#requests.request('shutdownDomain', { numbers: [checkDomid(domid)], signal });
  }

  /** As {@link shutdownDomain}, with the reason `reboot`; what then happens is the toolstack's. */
  async rebootDomain(domid: number, { signal }: Abortable = {}): Promise<void> {
    await this.#requests.request('rebootDomain', { numbers: [checkDomid(domid)], signal });
  }

  /**
   * Destroys a domain, whatever it does, and removes its devices. That somebody else does so at the same
   * moment (the domain's keeper, `xl`) is no failure.
   * @throws LIBXL_FAILED ERROR_DOMAIN_NOTFOUND, where it was gone before
   */
  async destroyDomain(domid: number): Promise<void> {
    const numbers = [checkDomid(domid)];
    try {
      await this.#requests.request('destroyDomain', { numbers });
    } catch (error) {
      // Of two that destroy a domain, libxl tells the later one that it cannot lock what it keeps of
      // it (ERROR_LOCK_FAIL), or that Xen does not know it (ERROR_FAIL).
      const code = libxlFailure(error)?.libxl;
      const isRace = code === 'ERROR_LOCK_FAIL' || code === 'ERROR_FAIL';
      if (!isRace || (await this.isAlive(domid))) {
        throw error;
      }
    }
  }

  /** @param from the name that it must have now, where given */
  async renameDomain(domid: number, name: string, from?: string): Promise<void> {
    const texts = from === undefined ? [checkName(name)] : [checkName(name), checkName(from)];
    await this.#requests.request('renameDomain', { numbers: [checkDomid(domid)], texts });
  }

  /** All domains, Dom0 too, by number. */
  async listDomains(): Promise<readonly DomainInfo[]> {
    return (await this.#requests.request<NativeDomain[]>('listDomains')).map(domainOf);
  }

  /** Whether there is a domain of this number, and nobody is destroying it. */
  async isAlive(domid: number): Promise<boolean> {
    const info = (await this.listDomains()).find((domain) => domain.domid === domid);
    return info !== undefined && !info.dying;
  }

  /** @throws LIBXL_FAILED ERROR_DOMAIN_NOTFOUND */
  async domainInfo(domid: number): Promise<DomainInfo> {
    const numbers = [checkDomidOrZero(domid)];
    return domainOf(await this.#requests.request<NativeDomain>('domainInfo', { numbers }));
  }

  /** The number of the domain of this name; undefined where there is none. */
  async findDomain(name: string): Promise<number | undefined> {
    const found = await this.#requests.request<number | null>('findDomain', {
      texts: [checkName(name)],
    });
    return found ?? undefined;
  }

  /** The configuration as it is by now, devices attached since creation included. */
  async domainConfig(domid: number): Promise<DomainConfig> {
    return this.#requests.request('domainConfig', { numbers: [checkDomid(domid)] });
  }

  // Processors.

  async listVcpus(domid: number): Promise<readonly VcpuInfo[]> {
    const numbers = [checkDomidOrZero(domid)];
    const vcpus = await this.#requests.request<Partial<VcpuInfo>[]>('listVcpus', { numbers });
    return vcpus.map((vcpu) => ({ ...vcpu, vcpuid: vcpu.vcpuid ?? 0 }));
  }

  /**
   * Asks the guest to use as many vCPUs, the first ones; the guest obeys in its own time.
   * @param count from 1 to the configuration's max_vcpus
   */
  async setVcpuCount(domid: number, count: number): Promise<void> {
    const numbers = [checkDomid(domid), checkNumber(count, 1, 4096, 'a number of vCPUs')];
    await this.#requests.request('setVcpuCount', { numbers });
  }

  /**
   * @param vcpu its number, or `all`
   * @param hard processors that it may run on
   * @param soft of them, those that it should run on; left as they are where not given
   */
  async setVcpuAffinity(
    domid: number,
    vcpu: number | 'all',
    hard: readonly number[],
    soft?: readonly number[],
  ): Promise<void> {
    const which = vcpu === 'all' ? -1 : checkNumber(vcpu, 0, 4095, 'the number of a vCPU');
    const processors = [...checkNumbers(hard), ...(soft === undefined ? [] : checkNumbers(soft))];
    const numbers = [checkDomidOrZero(domid), which, new Set(hard).size, ...processors];
    await this.#requests.request('setVcpuAffinity', { numbers });
  }

  /** What applies to the domain's scheduler. */
  async schedulerParameters(domid: number): Promise<SchedulerParameters> {
    return this.#requests.request('schedulerParameters', { numbers: [checkDomidOrZero(domid)] });
  }

  /** @param parameters those to change */
  async setSchedulerParameters(domid: number, parameters: SchedulerParameters): Promise<void> {
    const values = [checkSchedulerParameters(parameters)];
    const numbers = [checkDomidOrZero(domid)];
    await this.#requests.request('setSchedulerParameters', { numbers, values });
  }

  // Memory.

  async memoryTarget(domid: number): Promise<MemoryTarget> {
    return this.#requests.request('memoryTarget', { numbers: [checkDomidOrZero(domid)] });
  }

  /**
   * Asks the guest's balloon driver to use this much memory, and keeps it from using more.
   * @param targetKib at most the maximum
   */
  async setMemoryTarget(domid: number, targetKib: number): Promise<void> {
    const target = checkNumber(targetKib, 1, Number.MAX_SAFE_INTEGER, 'an amount of memory in KiB');
    await this.#requests.request('setMemoryTarget', { numbers: [checkDomidOrZero(domid), target] });
  }

  /** Sets the maximum that {@link setMemoryTarget} may ask for. */
  async setMaximumMemory(domid: number, maximumKib: number): Promise<void> {
    const most = checkNumber(maximumKib, 1, Number.MAX_SAFE_INTEGER, 'an amount of memory in KiB');
    await this.#requests.request('setMaximumMemory', { numbers: [checkDomidOrZero(domid), most] });
  }

  // Cpupools.

  async listCpupools(): Promise<readonly CpupoolInfo[]> {
    const pools = await this.#requests.request<Partial<CpupoolInfo>[]>('listCpupools');
    return pools.map((pool) => ({ ...pool, poolid: pool.poolid ?? 0 }));
  }

  /**
   * @param cpus processors that no pool has
   * @param scheduler default: the one that Xen runs
   * @returns the pool's number
   */
  async createCpupool(
    name: string,
    cpus: readonly number[],
    scheduler: SchedulerName = 'unknown',
  ): Promise<number> {
    const texts = [checkName(name), scheduler];
    return this.#requests.request('createCpupool', { texts, numbers: checkNumbers(cpus) });
  }

  async destroyCpupool(pool: number): Promise<void> {
    await this.#requests.request('destroyCpupool', { numbers: [checkPool(pool)] });
  }

  async renameCpupool(pool: number, name: string): Promise<void> {
    const numbers = [checkPool(pool)];
    await this.#requests.request('renameCpupool', { numbers, texts: [checkName(name)] });
  }

  async addCpuToCpupool(pool: number, cpu: number): Promise<void> {
    await this.#requests.request('addCpuToCpupool', { numbers: [checkPool(pool), checkCpu(cpu)] });
  }

  async removeCpuFromCpupool(pool: number, cpu: number): Promise<void> {
    const numbers = [checkPool(pool), checkCpu(cpu)];
    await this.#requests.request('removeCpuFromCpupool', { numbers });
  }

  async moveDomainToCpupool(domid: number, pool: number): Promise<void> {
    const numbers = [checkDomid(domid), checkPool(pool)];
    await this.#requests.request('moveDomainToCpupool', { numbers });
  }

  // Devices. Hotplug scripts run as the configuration says; libxl waits for them, and for backends.

  async attachDisk(domid: number, disk: Disk, { signal }: Abortable = {}): Promise<Disk> {
    const numbers = [checkDomid(domid)];
    return this.#requests.request('attachDisk', { numbers, values: [checkDisk(disk)], signal });
  }

  /**
   * @param vdev the guest's name of it
   * @param options.force takes it away without the guest's help, which otherwise has ten seconds to let go
   */
  async detachDisk(
    domid: number,
    vdev: string,
    { force = false, signal }: Abortable & { readonly force?: boolean } = {},
  ): Promise<void> {
    const numbers = [checkDomid(domid), Number(force)];
    await this.#requests.request('detachDisk', { numbers, texts: [checkName(vdev)], signal });
  }

  async listDisks(domid: number): Promise<readonly Disk[]> {
    return this.#requests.request('listDisks', { numbers: [checkDomid(domid)] });
  }

  /**
   * An interface whose script failed stays in the list, as with `xl`, until it is detached by force.
   * @returns with the devid and the MAC address that libxl chose where none is given
   */
  async attachNic(domid: number, nic: Nic, { signal }: Abortable = {}): Promise<Nic> {
    const numbers = [checkDomid(domid)];
    return this.#requests.request('attachNic', { numbers, values: [checkNic(nic)], signal });
  }

  /** @param options.force as in {@link detachDisk} */
  async detachNic(
    domid: number,
    devid: number,
    { force = false, signal }: Abortable & { readonly force?: boolean } = {},
  ): Promise<void> {
    const device = checkNumber(devid, 0, 2 ** 31 - 1, 'the number of a network interface');
    const numbers = [checkDomid(domid), device, Number(force)];
    await this.#requests.request('detachNic', { numbers, signal });
  }

  async listNics(domid: number): Promise<readonly Nic[]> {
    return this.#requests.request('listNics', { numbers: [checkDomid(domid)] });
  }

  // Console.

  /**
   * The guest's console as a stream of bytes. What the guest wrote before is there as far as xenconsoled
   * keeps it. A console has one reader at a time: two share the bytes out among them.
   * @param type default: what the domain's primary console is
   */
  async openConsole(domid: number, type?: 'pv' | 'serial'): Promise<DomainConsole> {
    const kind = { undefined: 0, serial: 1, pv: 2 }[String(type) as 'undefined' | 'serial' | 'pv'];
    const numbers = [checkDomid(domid), kind];
    return openConsole(await this.#requests.request<string>('consoleTerminal', { numbers }));
  }

  // Saving and restoring.

  /**
   * Saves a domain to a file, in the format of `xl save`. The guest must be able to suspend (a PV or PVH
   * guest by its xenbus driver). The file appears whole or not at all; if it fails, the domain runs on.
   */
  async saveDomain(domid: number, path: string, options: SaveOptions = {}): Promise<void> {
    const { leave = 'destroyed', signal } = options;
    const config = await this.#requests.requestText('domainConfig', {
      numbers: [checkDomid(domid)],
    });
    await writeSaveFile(path, config, async (descriptor) => {
      try {
        const numbers = [domid, descriptor];
        await this.#requests.request('suspendDomain', { numbers, signal });
      } catch (error) {
        await this.#requests.request('resumeDomain', { numbers: [domid] }).catch(() => undefined);
        throw error;
      }
    });
    if (leave === 'destroyed') {
      await this.destroyDomain(domid);
      return;
    }
    if (leave === 'paused') {
      await this.pauseDomain(domid);
    }
    await this.#requests.request('resumeDomain', { numbers: [domid] });
  }

  /**
   * Makes a domain of a file of {@link saveDomain} or `xl save`, and leaves it paused.
   * @returns its number
   */
  async restoreDomain(path: string, { name, signal }: RestoreOptions = {}): Promise<number> {
    const texts = name === undefined ? [] : [checkName(name)];
    return readSaveFile(path, (config, descriptor) =>
      this.#requests.request('restoreDomain', {
        numbers: [descriptor],
        texts: [config, ...texts],
        signal,
      }),
    );
  }

  // Events.

  /**
   * The number of the newest event so far. An iterator from here on loses nothing that happens to the
   * domains that a list made after this has.
   */
  async eventPosition(): Promise<number> {
    return this.#requests.request('eventPosition');
  }

  /**
   * Shutdowns and deaths of all domains that xenstore knows, also those that others made.
   * A domain that had shut down already when events were first asked for is told of too. The process
   * stays alive for an iterator until that has ended.
   *
   * @param options.after the number of the last event that is known; default: the newest so far
   * @throws HatcheryError EVENTS_LOST, where `after` is so old that some after it are not kept any more
   */
  events(
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<DomainEvent> {
    return domainEvents(this.#requests, options);
  }
}

/** As the addon describes a domain. */
interface NativeDomain {
  readonly info: DomainInfo;
  readonly name?: string;
}

const NO_UUID = '00000000-0000-0000-0000-000000000000';

/** libxl leaves out what is 0, so Dom0's number and UUID too. */
function domainOf({ info, name }: NativeDomain): DomainInfo {
  const named = name === undefined ? {} : { name };
  return { ...info, domid: info.domid ?? 0, uuid: info.uuid ?? NO_UUID, ...named };
}

function checkPool(pool: number): number {
  return checkNumber(pool, 0, 2 ** 32 - 2, 'the number of a cpupool');
}

function checkCpu(cpu: number): number {
  return checkNumber(cpu, 0, 4095, 'the number of a processor');
}
