/** What a domain boots: a kernel, or a boot loader that finds one in the domain's disk. */
import type { BuildInfo, DomainType } from '../libxl-config.js';
import { definedOf, type Settings } from './settings.js';

/** Finds a file that belongs to Xen's installation, like `pvgrub64.bin`. */
export type FindFirmware = (name: string) => string | undefined;

const PV_FIRMWARE = { pvgrub32: 'pvgrub32.bin', pvgrub64: 'pvgrub64.bin' } as const;

/** The part of `b_info` that says what is booted, with what command line. */
export function bootSourceFrom(
  settings: Settings,
  type: DomainType,
  findFirmware: FindFirmware,
): Partial<BuildInfo> {
  const firmware = type === 'pv' ? pvFirmwareFrom(settings, findFirmware) : undefined;
  const kernel = settings.string('kernel') ?? firmware;
  const bootloader = settings.string('bootloader');
  if (type !== 'hvm' && !kernel && !bootloader) {
    throw settings.invalid('kernel', 'must be given, or a bootloader');
  }
  return definedOf({
    kernel,
    ramdisk: settings.string('ramdisk'),
    cmdline: commandLineFrom(settings),
    bootloader,
    bootloader_args: bootloaderArgumentsFrom(settings),
  });
}

function pvFirmwareFrom(settings: Settings, findFirmware: FindFirmware): string | undefined {
  const name = settings.choice('firmware', PV_FIRMWARE);
  if (name === undefined) {
    return undefined;
  }
  if (settings.has('kernel')) {
    throw settings.invalid('firmware', 'cannot be given together with kernel');
  }
  const path = findFirmware(name);
  if (path === undefined) {
    throw settings.invalid('firmware', `needs ${name}, which Xen's installation here has not`);
  }
  return path;
}

/** `cmdline`, or what `root` and `extra` add up to. */
function commandLineFrom(settings: Settings): string | undefined {
  const whole = settings.string('cmdline');
  const root = settings.string('root');
  const extra = settings.string('extra');
  if (whole !== undefined) {
    if (root !== undefined || extra !== undefined) {
      settings.warn('cmdline', 'is used, and root and extra are not');
    }
    return whole;
  }
  const parts = [root === undefined ? undefined : `root=${root}`, extra];
  const given = parts.filter((part) => part !== undefined);
  return given.length === 0 ? undefined : given.join(' ');
}

function bootloaderArgumentsFrom(settings: Settings): string[] | undefined {
  const value = settings.value('bootloader_args');
  if (typeof value === 'string') {
    settings.warn('bootloader_args', 'should be a list; it is split at spaces');
    return value.split(/\s+/).filter((word) => word !== '');
  }
  return settings.strings('bootloader_args');
}
