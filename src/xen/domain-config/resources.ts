/** Memory, the limits of what a guest may take of Xen, clocks, and access to the machine's own devices. */
import type { BuildInfo } from '../libxl-config.js';
import { definedOf, integerFrom, type Settings } from './settings.js';

const TSC_MODES = ['default', 'always_emulate', 'native', 'native_paravirt'] as const;
const HEXADECIMAL = '(?:0x)?[0-9a-f]{1,13}';
const IO_MEMORY = new RegExp(`^(${HEXADECIMAL}),(${HEXADECIMAL})(?:@(${HEXADECIMAL}))?$`, 'i');
const IO_PORTS = new RegExp(`^(${HEXADECIMAL})(?:-(${HEXADECIMAL}))?$`, 'i');
const MAX_PORT = 0xffff;

/** The part of `b_info` that is about memory, in KiB. */
export function memoryFrom(settings: Settings): Partial<BuildInfo> {
  const bounds = { minimum: 1, maximum: 2 ** 40 };
  const target = settings.kibibytes('memory', bounds);
  const maximum = settings.kibibytes('maxmem', bounds) ?? target;
  if (target !== undefined && maximum !== undefined && maximum < target) {
    throw settings.invalid('maxmem', `must not be less than memory, which is ${target / 1024}`);
  }
  return definedOf({
    max_memkb: maximum,
    target_memkb: target,
    video_memkb: settings.kibibytes('videoram'),
    shadow_memkb: settings.kibibytes('shadow_memory'),
  });
}

/** What `b_info` holds of limits, clocks and labels. */
export function limitsFrom(settings: Settings): Partial<BuildInfo> {
  return definedOf({
    tsc_mode: namedOrNumbered(settings, 'tsc_mode', TSC_MODES),
    rtc_timeoffset: settings.integer('rtc_timeoffset'),
    localtime: settings.flag('localtime'),
    exec_ssid_label: settings.has('init_seclabel') ? settings.string('seclabel') : undefined,
    disable_migrate: settings.flag('nomigrate'),
    max_grant_frames: settings.integer('max_grant_frames'),
    max_maptrack_frames: settings.integer('max_maptrack_frames'),
    max_grant_version: settings.integer('max_grant_version', { minimum: 0, maximum: 2 ** 31 - 1 }),
    event_channels: settings.integer('max_event_channels'),
    vmtrace_buf_kb: settings.integer('vmtrace_buf_kb', { minimum: 0, maximum: 2 ** 31 - 1 }),
    // xl's own default: the creation fails at once where there is not enough memory.
    claim_mode: true,
    acpi: settings.flag('acpi'),
    arch_x86: definedOf({ msr_relaxed: settings.flag('msr_relaxed') }),
  });
}

/** A mode by its name, or by its number as files of before Xen 4.3 have it. */
export function namedOrNumbered<const Name extends string>(
  settings: Settings,
  key: string,
  names: readonly Name[],
): Name | undefined {
  const text = settings.string(key);
  if (text === undefined) {
    return undefined;
  }
  const name = names.find((known) => known === text) ?? names[integerFrom(text) ?? -1];
  if (name === undefined) {
    throw settings.invalid(key, `must be one of ${names.join(', ')}, not "${text}"`);
  }
  return name;
}

/** `irqs`, `ioports` and `iomem` of the machine that a guest may use itself. */
export function machineAccessFrom(settings: Settings): Partial<BuildInfo> {
  return definedOf({
    irqs: settings.strings('irqs')?.map((text) => irqFrom(settings, text)),
    ioports: settings.strings('ioports')?.map((text) => ioPortsFrom(settings, text)),
    iomem: settings.strings('iomem')?.map((text) => ioMemoryFrom(settings, text)),
  });
}

function irqFrom(settings: Settings, text: string): number {
  const irq = integerFrom(text);
  if (irq === undefined || irq < 0) {
    throw settings.invalid('irqs', `must be a list of numbers, and "${text}" is none`);
  }
  return irq;
}

function ioPortsFrom(settings: Settings, text: string): { first: number; number: number } {
  const [, from = '', to = from] = IO_PORTS.exec(text) ?? [];
  const first = Number.parseInt(from, 16);
  const last = Number.parseInt(to, 16);
  if (!(first <= last && last <= MAX_PORT)) {
    throw settings.invalid('ioports', `must be like "2f8-2ff" or "2f8", not "${text}"`);
  }
  return { first, number: last - first + 1 };
}

function ioMemoryFrom(
  settings: Settings,
  text: string,
): { start: number; number: number; gfn?: number } {
  const match = IO_MEMORY.exec(text);
  if (match === null) {
    throw settings.invalid('iomem', `must be like "f0000,1" or "f0000,1@100", not "${text}"`);
  }
  const [start = 0, number = 0, gfn = start] = match
    .slice(1)
    .map((digits) => (digits === undefined ? undefined : Number.parseInt(digits, 16)));
  return gfn === start ? { start, number } : { start, number, gfn };
}
