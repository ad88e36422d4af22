/** `hatchery domain ls` and `hatchery domain info`. */
import type { DomainConfig } from '../../xen/libxl-config.js';
import type { DomainInfo } from '../../xen/libxl-info.js';
import { EXIT_CODES } from '../exit-codes.js';
import { tableOf } from '../table.js';
import type { Terminal } from '../terminal.js';
import { type DomainSummary, summaryOf } from './state.js';
import { findDomain, withLibxl } from './toolstack.js';

const KIB_PER_MIB = 1024;

export function listDomains(terminal: Terminal): Promise<number> {
  return withLibxl(async (libxl) => {
    const domains = (await libxl.listDomains()).map((domain) => summaryOf(domain));
    terminal.result(
      tableOf(['ID', 'NAME', 'TYPE', 'STATE', 'MIB', 'VCPUS', 'CPU S'], rowsOf(domains)),
      {
        domains,
      },
    );
    return EXIT_CODES.ok.code;
  });
}

function rowsOf(domains: readonly DomainSummary[]): (string | number)[][] {
  return domains.map(({ domid, name, type, state, memoryKib, vcpus, cpuSeconds }) => [
    domid,
    name ?? '(no name)',
    type ?? '?',
    state,
    Math.round(memoryKib / KIB_PER_MIB),
    vcpus,
    cpuSeconds.toFixed(1),
  ]);
}

export function showDomain(argument: string, terminal: Terminal): Promise<number> {
  return withLibxl(async (libxl) => {
    const domid = await findDomain(libxl, argument);
    const [info, vcpus, config] = await Promise.all([
      libxl.domainInfo(domid),
      libxl.listVcpus(domid),
      // Dom0 has none, nor have domains of other toolstacks.
      domid === 0 ? undefined : libxl.domainConfig(domid).catch(() => undefined),
    ]);
    terminal.result([...factsOf(info, config), ...devicesOf(config)].join('\n'), {
      domain: { ...summaryOf(info, config?.c_info.type), maximumMemoryKib: info.max_memkb ?? null },
      vcpus,
      config: config ?? null,
    });
    return EXIT_CODES.ok.code;
  });
}

function factsOf(info: DomainInfo, config: DomainConfig | undefined): string[] {
  const { domid, name, uuid, type, state, memoryKib, vcpus, cpuSeconds } = summaryOf(
    info,
    config?.c_info.type,
  );
  const maximum = Math.round((info.max_memkb ?? 0) / KIB_PER_MIB);
  return Object.entries({
    name: name ?? '(none)',
    id: domid,
    uuid,
    type: type ?? 'unknown',
    state,
    memory: `${Math.round(memoryKib / KIB_PER_MIB)} MiB, at most ${maximum} MiB`,
    vcpus: `${vcpus} online, of ${(info.vcpu_max_id ?? 0) + 1}`,
    'cpu time': `${cpuSeconds.toFixed(1)} s`,
  }).map(([title, value]) => `${title.padEnd(9)} ${value}`);
}

function devicesOf(config: DomainConfig | undefined): string[] {
  const kernel = config?.b_info.kernel ?? config?.b_info.bootloader;
  return [
    ...(kernel === undefined ? [] : [`${'boots'.padEnd(9)} ${kernel}`]),
    ...(config?.disks ?? []).map(
      ({ vdev, pdev_path }) => `${'disk'.padEnd(9)} ${vdev}: ${pdev_path}`,
    ),
    ...(config?.nics ?? []).map(
      ({ devid, mac, bridge }) =>
        `${'vif'.padEnd(9)} ${devid}: ${mac ?? 'no address'}${bridge === undefined ? '' : `, ${bridge}`}`,
    ),
  ];
}
