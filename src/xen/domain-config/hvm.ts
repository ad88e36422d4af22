/** What only fully virtualised domains have: firmware, emulated devices and displays. */
import type { BuildInfo } from '../libxl-config.js';
import { displaySettingsFrom } from './framebuffers.js';
import { namedOrNumbered } from './resources.js';
import { definedOf, type Settings } from './settings.js';

type Hvm = NonNullable<BuildInfo['type.hvm']>;

const BIOSES = { rombios: 'rombios', seabios: 'seabios', ovmf: 'ovmf' } as const;
/** `firmware` by name; `bios` is the default, and whatever else is there is the path of a file. */
const FIRMWARES: Readonly<Record<string, Hvm['bios']>> = {
  ...BIOSES,
  uefi: 'ovmf',
  bios: undefined,
};
const VGA = { none: 'none', stdvga: 'std', cirrus: 'cirrus', qxl: 'qxl' } as const;
const ALTP2M = ['disabled', 'mixed', 'external', 'limited'] as const;

/** The part of `b_info` that is `type.hvm`. */
export function hvmFrom(settings: Settings): Partial<BuildInfo> {
  return definedOf({
    apic: settings.flag('apic'),
    altp2m: namedOrNumbered(settings, 'altp2m', ALTP2M),
    'type.hvm': definedOf({
      ...firmwareFrom(settings),
      ...platformFrom(settings),
      ...displaySettingsFrom(settings),
      ...emulatedDevicesFrom(settings),
      vga: definedOf({ kind: vgaFrom(settings) }),
      spice: spiceFrom(settings),
    }),
  });
}

function firmwareFrom(settings: Settings): Hvm {
  const firmware = settings.string('firmware');
  const named = firmware !== undefined && Object.hasOwn(FIRMWARES, firmware);
  return definedOf({
    bios: settings.choice('bios', BIOSES) ?? (named ? FIRMWARES[firmware] : undefined),
    system_firmware: settings.string('bios_path_override') ?? (named ? undefined : firmware),
    acpi_firmware: settings.string('acpi_firmware'),
    smbios_firmware: settings.string('smbios_firmware'),
    boot: settings.string('boot'),
  });
}

function platformFrom(settings: Settings): Hvm {
  return definedOf({
    pae: settings.flag('pae'),
    nx: settings.flag('nx'),
    hpet: settings.flag('hpet'),
    acpi_s3: settings.flag('acpi_s3'),
    acpi_s4: settings.flag('acpi_s4'),
    acpi_laptop_slate: settings.flag('acpi_laptop_slate'),
    vpt_align: settings.flag('vpt_align'),
    mmio_hole_memkb: settings.kibibytes('mmio_hole'),
    timeoffset: settings.string('timeoffset'),
    xen_platform_pci: settings.flag('xen_platform_pci'),
    viridian:
      typeof settings.value('viridian') === 'string' ? settings.flag('viridian') : undefined,
  });
}

function emulatedDevicesFrom(settings: Settings): Hvm {
  return definedOf({
    ...oneOrMore(
      settings,
      'serial',
      (serial) => ({ serial }),
      (serial_list) => ({ serial_list }),
    ),
    usb: settings.flag('usb'),
    usbversion: settings.integer('usbversion', { minimum: 0, maximum: 3 }),
    ...oneOrMore(
      settings,
      'usbdevice',
      (usbdevice) => ({ usbdevice }),
      (usbdevice_list) => ({ usbdevice_list }),
    ),
    hdtype: settings.choice('hdtype', { ide: 'ide', ahci: 'ahci' } as const),
    soundhw: settings.string('soundhw'),
    vkb_device: settings.flag('vkb_device'),
    nographic: settings.flag('nographic'),
    vendor_device: settings.choice('vendor_device', {
      none: 'none',
      xenserver: 'xenserver',
    } as const),
  });
}

/** Of a value that may be one or a list of them. */
function oneOrMore(
  settings: Settings,
  key: string,
  one: (value: string) => Hvm,
  more: (values: string[]) => Hvm,
): Hvm {
  const value = settings.value(key);
  if (value === undefined) {
    return {};
  }
  return typeof value === 'string' ? one(value) : more(settings.strings(key) ?? []);
}

function vgaFrom(settings: Settings): (typeof VGA)[keyof typeof VGA] | undefined {
  const standard = settings.flag('stdvga');
  return settings.choice('vga', VGA) ?? (standard ? 'std' : undefined);
}

function spiceFrom(settings: Settings): NonNullable<Hvm['spice']> {
  return definedOf({
    enable: settings.flag('spice'),
    port: settings.integer('spiceport', { minimum: 0, maximum: 65_535 }),
    tls_port: settings.integer('spicetls_port', { minimum: 0, maximum: 65_535 }),
    host: settings.string('spicehost'),
    disable_ticketing: settings.flag('spicedisable_ticketing'),
    passwd: settings.string('spicepasswd'),
    agent_mouse: settings.flag('spiceagent_mouse'),
    vdagent: settings.flag('spicevdagent'),
    clipboard_sharing: settings.flag('spice_clipboard_sharing'),
    usbredirection: settings.integer('spiceusbredirection', { minimum: 0, maximum: 255 }),
    image_compression: settings.string('spice_image_compression'),
    streaming_video: settings.string('spice_streaming_video'),
  });
}
