/**
 * A domain's configuration as libxl knows it: the fields, and their names, of `libxl_domain_config`
 * and what it consists of (libxl_types.idl of Xen 4.17), as libxl's own JSON functions read and
 * write them. Left out are what is for Arm, for COLO, or deprecated.
 *
 * Where libxl has a `defbool`, these have a boolean, and nothing for libxl's default. Every field
 * that is left out has libxl's default. Sizes are in KiB (`memkb`), unless their name says otherwise.
 *
 * libxl ignores fields that it does not know and aborts the process on some contradictions, so
 * that {@link checkDomainConfig} and its like refuse both.
 */
import * as v from 'valibot';
import { HatcheryError } from '../errors.js';

const INT_MAX = 2 ** 31 - 1;
const UINT32_MAX = 2 ** 32 - 1;

const text = v.pipe(
  v.string(),
  // A C string would end there.
  v.check((value) => !value.includes('\0'), 'must not contain a NUL character'),
);
const whole = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));
const int = whole(-INT_MAX - 1, INT_MAX);
const uint8 = whole(0, 255);
const uint32 = whole(0, UINT32_MAX);
const uint64 = whole(0, Number.MAX_SAFE_INTEGER);
const bool = v.boolean();
const texts = v.array(text);
const keyValues = v.record(text, text);
const uuid = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'is no UUID'),
);
const mac = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, 'is no MAC address (00:16:3e:xx:xx:xx)'),
);
/** Numbers of processors, vCPUs or nodes: libxl sizes its bitmap by the last one. */
const numbers = v.pipe(
  v.array(whole(0, 4095)),
  v.check(
    (list) => list.every((value, index) => index === 0 || value > (list[index - 1] ?? 0)),
    'must be in ascending order',
  ),
);

/** An object that may have these fields and no others. */
function fields<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.partial(v.strictObject(entries));
}

const backend = { backend_domid: uint32, backend_domname: text, devid: int };

const createInfo = fields({
  type: v.picklist(['hvm', 'pv', 'pvh']),
  hap: bool,
  oos: bool,
  ssidref: uint32,
  ssid_label: text,
  name: text,
  domid: uint32,
  uuid,
  xsdata: keyValues,
  platformdata: keyValues,
  poolid: uint32,
  pool_name: text,
  run_hotplug_scripts: bool,
  driver_domain: bool,
  passthrough: v.picklist(['default', 'disabled', 'enabled', 'sync_pt', 'share_pt']),
  xend_suspend_evtchn_compat: bool,
});

const vnc = fields({ enable: bool, listen: text, passwd: text, display: int, findunused: bool });
const sdl = fields({ enable: bool, opengl: bool, display: text, xauthority: text });
const spice = fields({
  enable: bool,
  port: int,
  tls_port: int,
  host: text,
  disable_ticketing: bool,
  passwd: text,
  agent_mouse: bool,
  vdagent: bool,
  clipboard_sharing: bool,
  usbredirection: int,
  image_compression: text,
  streaming_video: text,
});
const rdmPolicy = v.picklist(['strict', 'relaxed']);

const hvm = fields({
  firmware: text,
  bios: v.picklist(['rombios', 'seabios', 'ovmf']),
  pae: bool,
  acpi_s3: bool,
  acpi_s4: bool,
  acpi_laptop_slate: bool,
  nx: bool,
  viridian: bool,
  viridian_enable: numbers,
  viridian_disable: numbers,
  timeoffset: text,
  hpet: bool,
  vpt_align: bool,
  mmio_hole_memkb: uint64,
  system_firmware: text,
  smbios_firmware: text,
  acpi_firmware: text,
  hdtype: v.picklist(['ide', 'ahci']),
  nographic: bool,
  vga: fields({ kind: v.picklist(['unknown', 'cirrus', 'std', 'none', 'qxl']) }),
  vnc,
  keymap: text,
  sdl,
  spice,
  gfx_passthru: bool,
  gfx_passthru_kind: v.picklist(['default', 'igd']),
  serial: text,
  boot: text,
  usb: bool,
  usbversion: int,
  usbdevice: text,
  vkb_device: bool,
  soundhw: text,
  xen_platform_pci: bool,
  usbdevice_list: texts,
  vendor_device: v.picklist(['none', 'xenserver']),
  ms_vm_genid: v.pipe(v.array(uint8), v.length(16)),
  serial_list: texts,
  rdm: fields({ strategy: v.picklist(['ignore', 'host']), policy: rdmPolicy }),
  rdm_mem_boundary_memkb: uint64,
  mca_caps: uint64,
});
const pv = fields({ slack_memkb: uint64, e820_host: bool });
const pvh = fields({ pvshim: bool, pvshim_path: text, pvshim_cmdline: text, pvshim_extra: text });

const schedulerName = v.picklist(['unknown', 'credit', 'credit2', 'arinc653', 'rtds', 'null']);
const schedulerParameters = fields({
  sched: schedulerName,
  weight: int,
  cap: int,
  period: int,
  budget: int,
  extratime: int,
});

/** One character for each of 32 bits, the highest first: 0, 1, x (default), k, s (host's). */
const register = v.pipe(
  v.string(),
  v.regex(/^[01xks]{32}$/, 'must be 32 characters of 0, 1, x, k, s'),
);
const cpuidLeaf = fields({
  leaf: uint32,
  subleaf: uint32,
  eax: register,
  ebx: register,
  ecx: register,
  edx: register,
});

const buildInfo = fields({
  max_vcpus: whole(1, INT_MAX),
  avail_vcpus: numbers,
  cpumap: numbers,
  nodemap: numbers,
  vcpu_hard_affinity: v.array(numbers),
  vcpu_soft_affinity: v.array(numbers),
  numa_placement: bool,
  tsc_mode: v.picklist(['default', 'always_emulate', 'native', 'native_paravirt']),
  max_memkb: uint64,
  target_memkb: uint64,
  video_memkb: uint64,
  shadow_memkb: uint64,
  iommu_memkb: uint64,
  rtc_timeoffset: uint32,
  exec_ssidref: uint32,
  exec_ssid_label: text,
  localtime: bool,
  disable_migrate: bool,
  cpuid: v.union([
    v.array(cpuidLeaf),
    fields({
      cpuid: v.array(cpuidLeaf),
      msr: v.array(v.strictObject({ index: uint32, policy: text })),
    }),
  ]),
  blkdev_start: text,
  vnuma_nodes: v.array(
    fields({ memkb: uint64, distances: v.array(uint32), pnode: uint32, vcpus: numbers }),
  ),
  max_grant_frames: uint32,
  max_maptrack_frames: uint32,
  max_grant_version: int,
  device_model_version: v.picklist(['qemu_xen_traditional', 'qemu_xen']),
  device_model_stubdomain: bool,
  stubdomain_memkb: uint64,
  stubdomain_kernel: text,
  stubdomain_cmdline: text,
  stubdomain_ramdisk: text,
  device_model: text,
  device_model_ssidref: uint32,
  device_model_ssid_label: text,
  device_model_user: text,
  extra: texts,
  extra_pv: texts,
  extra_hvm: texts,
  sched_params: schedulerParameters,
  ioports: v.array(v.strictObject({ first: uint32, number: uint32 })),
  irqs: v.array(uint32),
  iomem: v.array(v.strictObject({ start: uint64, number: uint64, gfn: v.optional(uint64) })),
  claim_mode: bool,
  event_channels: uint32,
  kernel: text,
  cmdline: text,
  ramdisk: text,
  acpi: bool,
  bootloader: text,
  bootloader_args: texts,
  timer_mode: v.picklist([
    'delay_for_missed_ticks',
    'no_delay_for_missed_ticks',
    'no_missed_ticks_pending',
    'one_missed_tick_pending',
  ]),
  nested_hvm: bool,
  apic: bool,
  dm_restrict: bool,
  /** Always there where libxl wrote the configuration, and empty on x86. */
  arch_arm: v.strictObject({}),
  arch_x86: fields({ msr_relaxed: bool }),
  altp2m: v.picklist(['disabled', 'mixed', 'external', 'limited']),
  vmtrace_buf_kb: whole(0, INT_MAX),
  vpmu: bool,
  /** One of the three, and the one that `c_info.type` names. */
  'type.hvm': hvm,
  'type.pv': pv,
  'type.pvh': pvh,
});

const disk = fields({
  backend_domid: uint32,
  backend_domname: text,
  /** A path in Dom0, or what `script` makes of it. */
  pdev_path: text,
  /** The guest's name of it: `xvda`. */
  vdev: text,
  backend: v.picklist(['unknown', 'phy', 'tap', 'qdisk', 'standalone']),
  format: v.picklist(['unknown', 'qcow', 'qcow2', 'vhd', 'raw', 'empty', 'qed']),
  /** The hotplug script; a name in /etc/xen/scripts, or a path. */
  script: text,
  removable: whole(0, 1),
  readwrite: whole(0, 1),
  is_cdrom: whole(0, 1),
  direct_io_safe: bool,
  discard_enable: bool,
  specification: v.picklist(['unknown', 'xen', 'virtio']),
  transport: v.picklist(['unknown', 'mmio']),
  irq: uint32,
  base: uint64,
  trusted: bool,
});

const nic = fields({
  ...backend,
  mtu: int,
  model: text,
  mac,
  ip: text,
  bridge: text,
  ifname: text,
  script: text,
  nictype: v.picklist(['unknown', 'vif_ioemu', 'vif']),
  rate_bytes_per_interval: uint64,
  rate_interval_usecs: uint32,
  gatewaydev: text,
  trusted: bool,
});

const pci = fields({
  func: uint8,
  dev: uint8,
  bus: uint8,
  domain: int,
  vdevfn: uint32,
  vfunc_mask: uint32,
  msitranslate: bool,
  power_mgmt: bool,
  permissive: bool,
  seize: bool,
  rdm_policy: rdmPolicy,
  name: text,
});

const keyboard = fields({
  ...backend,
  backend_type: v.picklist(['unknown', 'qemu', 'linux']),
  unique_id: text,
  feature_disable_keyboard: bool,
  feature_disable_pointer: bool,
  feature_abs_pointer: bool,
  feature_raw_pointer: bool,
  feature_multi_touch: bool,
  width: uint32,
  height: uint32,
  multi_touch_width: uint32,
  multi_touch_height: uint32,
  multi_touch_num_contacts: uint32,
});

const channel = v.pipe(
  fields({
    ...backend,
    name: text,
    'connection.pty': v.strictObject({}),
    'connection.socket': fields({ path: text }),
  }),
  v.check(
    (value) => !(value['connection.pty'] && value['connection.socket']),
    'has two connections; give one',
  ),
);

const usbController = fields({
  type: v.picklist(['auto', 'pv', 'devicemodel', 'qusb']),
  ...backend,
  version: int,
  ports: int,
});
const usbDevice = fields({
  ctrl: int,
  port: int,
  'type.hostdev': v.strictObject({ hostbus: uint8, hostaddr: uint8 }),
});

const action = v.picklist([
  'destroy',
  'restart',
  'restart_rename',
  'preserve',
  'coredump_destroy',
  'coredump_restart',
  'soft_reset',
]);

const domainConfig = v.partial(
  v.strictObject({
    c_info: createInfo,
    b_info: buildInfo,
    disks: v.array(disk),
    nics: v.array(nic),
    pcidevs: v.array(pci),
    rdms: v.array(fields({ start: uint64, size: uint64, policy: rdmPolicy })),
    vfbs: v.array(fields({ ...backend, vnc, sdl, keymap: text })),
    vkbs: v.array(keyboard),
    vtpms: v.array(fields({ ...backend, uuid })),
    p9s: v.array(fields({ ...backend, tag: text, path: text, security_model: text })),
    pvcallsifs: v.array(fields(backend)),
    channels: v.array(channel),
    usbctrls: v.array(usbController),
    usbdevs: v.array(usbDevice),
    on_poweroff: action,
    on_reboot: action,
    on_watchdog: action,
    on_crash: action,
    on_soft_reset: action,
  }),
);

/** `libxl_domain_config`; c_info (name, type) and b_info (memory, kernel …) are always needed. */
export type DomainConfig = v.InferOutput<typeof domainConfig> & {
  c_info: CreateInfo;
  b_info: BuildInfo;
};
/** `libxl_domain_create_info`. */
export type CreateInfo = v.InferOutput<typeof createInfo>;
/** `libxl_domain_build_info`. */
export type BuildInfo = v.InferOutput<typeof buildInfo>;
/** `libxl_device_disk`. */
export type Disk = v.InferOutput<typeof disk>;
/** `libxl_device_nic`. */
export type Nic = v.InferOutput<typeof nic>;
/** `libxl_device_pci`. */
export type Pci = v.InferOutput<typeof pci>;
/** `libxl_domain_sched_params`; what does not apply to the scheduler is left out. */
export type SchedulerParameters = v.InferOutput<typeof schedulerParameters>;
/** `libxl_scheduler`. */
export type SchedulerName = v.InferOutput<typeof schedulerName>;
/** `libxl_action_on_shutdown`. */
export type ActionOnShutdown = v.InferOutput<typeof action>;
/** `libxl_domain_type`. */
export type DomainType = 'hvm' | 'pv' | 'pvh';

function check<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  root: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value);
  if (result.success) {
    return result.output;
  }
  const [issue] = result.issues;
  const path = [root, v.getDotPath(issue)].filter((part) => part !== null).join('.');
  throw new HatcheryError('CONFIGURATION_INVALID', { path, problem: issue.message });
}

/**
 * The configuration, checked against libxl's types, with what libxl would abort on refused.
 * @param value a {@link DomainConfig} of unknown origin
 * @throws HatcheryError CONFIGURATION_INVALID
 */
export function checkDomainConfig(value: unknown): DomainConfig {
  const config = check(domainConfig, value, 'config');
  const { c_info, b_info } = config;
  const type = c_info?.type;
  if (c_info === undefined || b_info === undefined || type === undefined) {
    throw new HatcheryError('CONFIGURATION_INVALID', {
      path: 'config',
      problem: 'c_info with a type, and b_info, are needed',
    });
  }
  if (c_info.name === undefined || !/^[^\s/]+$/.test(c_info.name)) {
    throw new HatcheryError('CONFIGURATION_INVALID', {
      path: 'config.c_info.name',
      problem: 'must be a name without spaces and slashes',
    });
  }
  for (const other of ['hvm', 'pv', 'pvh'] as const) {
    if (other !== type && b_info[`type.${other}`] !== undefined) {
      throw new HatcheryError('CONFIGURATION_INVALID', {
        path: `config.b_info.type.${other}`,
        problem: `does not go with c_info.type ${type}`,
      });
    }
  }
  // libxl takes the type from the presence of this one.
  return {
    ...config,
    c_info,
    b_info: { ...b_info, [`type.${type}`]: b_info[`type.${type}`] ?? {} },
  };
}

/** @throws HatcheryError CONFIGURATION_INVALID */
export function checkDisk(value: unknown): Disk {
  return check(disk, value, 'disk');
}

/** @throws HatcheryError CONFIGURATION_INVALID */
export function checkNic(value: unknown): Nic {
  return check(nic, value, 'nic');
}

/** @throws HatcheryError CONFIGURATION_INVALID */
export function checkSchedulerParameters(value: unknown): SchedulerParameters {
  return check(schedulerParameters, value, 'parameters');
}
