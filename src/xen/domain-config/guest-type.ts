/** What PV, PVH and HVM domains have each for themselves, and the device model that some need. */
import type { BuildInfo, DomainType } from '../libxl-config.js';
import { hvmFrom } from './hvm.js';
import { namedOrNumbered } from './resources.js';
import { definedOf, type Settings } from './settings.js';

const TIMER_MODES = [
  'delay_for_missed_ticks',
  'no_delay_for_missed_ticks',
  'no_missed_ticks_pending',
  'one_missed_tick_pending',
] as const;
const DEVICE_MODELS = {
  'qemu-xen': 'qemu_xen',
  'qemu-xen-traditional': 'qemu_xen_traditional',
} as const;

/** @param hasPciDevices a PV guest sees the machine's memory map then, as xl has it */
export function guestTypeFrom(
  settings: Settings,
  type: DomainType,
  hasPciDevices: boolean,
): Partial<BuildInfo> {
  if (type === 'pv') {
    const e820_host = settings.flag('e820_host') ?? (hasPciDevices ? true : undefined);
    return { 'type.pv': definedOf({ e820_host }) };
  }
  const hardware = definedOf({
    timer_mode: namedOrNumbered(settings, 'timer_mode', TIMER_MODES),
    nested_hvm: settings.flag('nestedhvm'),
  });
  return { ...hardware, ...(type === 'hvm' ? hvmFrom(settings) : pvhFrom(settings)) };
}

function pvhFrom(settings: Settings): Partial<BuildInfo> {
  return {
    'type.pvh': definedOf({
      pvshim: settings.flag('pvshim'),
      pvshim_path: settings.string('pvshim_path'),
      pvshim_cmdline: settings.string('pvshim_cmdline'),
      pvshim_extra: settings.string('pvshim_extra'),
    }),
  };
}

/** QEMU, for HVM guests, and for framebuffers and some disks of the others. */
export function deviceModelFrom(settings: Settings): Partial<BuildInfo> {
  return definedOf({
    device_model_version: settings.choice('device_model_version', DEVICE_MODELS),
    device_model: settings.string('device_model_override'),
    device_model_user: settings.string('device_model_user'),
    device_model_stubdomain: settings.flag('device_model_stubdomain_override'),
    device_model_ssid_label: settings.string('device_model_stubdomain_seclabel'),
    stubdomain_memkb: settings.kibibytes('stubdomain_memory'),
    stubdomain_kernel: settings.string('stubdomain_kernel'),
    stubdomain_cmdline: settings.string('stubdomain_cmdline'),
    stubdomain_ramdisk: settings.string('stubdomain_ramdisk'),
    dm_restrict: settings.flag('dm_restrict'),
    extra: settings.strings('device_model_args'),
    extra_pv: settings.strings('device_model_args_pv'),
    extra_hvm: settings.strings('device_model_args_hvm'),
  });
}
