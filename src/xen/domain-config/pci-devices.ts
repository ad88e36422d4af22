/** `pci`: the machine's own devices that a domain gets (xl-pci-configuration(5)). */
import type { Pci } from '../libxl-config.js';
import { definedOf, type Settings } from './settings.js';
import { type Specification, specificationsOf } from './specification.js';

const ADDRESS =
  /^(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7]|\*)(?:@([0-9a-f]{1,2}))?$/i;
const POLICIES = { strict: 'strict', relaxed: 'relaxed' } as const;
/** libxl's mask for all functions of a device (LIBXL_PCI_FUNC_ALL), and for one. */
const ALL_FUNCTIONS = 2 ** 32 - 1;
const ONE_FUNCTION = 1;

/** `pcidevs`; the defaults of their flags stand in keys of their own. */
export function pciDevicesFrom(settings: Settings): Pci[] | undefined {
  const defaults = definedOf({
    permissive: settings.flag('pci_permissive') || undefined,
    msitranslate: settings.flag('pci_msitranslate') || undefined,
    seize: settings.flag('pci_seize') || undefined,
    power_mgmt: settings.flag('pci_power_mgmt') || undefined,
  });
  return specificationsOf(settings, 'pci', (device) => ({
    ...defaults,
    ...definedOf({
      ...addressOf(device),
      permissive: device.boolean('permissive'),
      msitranslate: device.boolean('msitranslate'),
      seize: device.boolean('seize'),
      power_mgmt: device.boolean('power_mgmt'),
      rdm_policy: device.choice('rdm_policy', POLICIES) ?? 'strict',
    }),
  }));
}

/** Where the device is, and in which slot the guest sees it. */
function addressOf(device: Specification): Pci {
  const name = device.string('name');
  const written = device.string('bdf') ?? device.takePositional();
  if (name !== undefined && written === undefined) {
    return { name, vfunc_mask: ONE_FUNCTION, ...slotOf(device, undefined) };
  }
  const match = ADDRESS.exec(written ?? '');
  if (match === null) {
    throw device.invalid('has no address of a device: like 36:00.0 or 0000:36:00.0@8');
  }
  const [, domain = '0', bus = '', dev = '', func = '', slot] = match;
  return {
    domain: Number.parseInt(domain, 16),
    bus: Number.parseInt(bus, 16),
    dev: Number.parseInt(dev, 16),
    func: func === '*' ? 0 : Number(func),
    vfunc_mask: func === '*' ? ALL_FUNCTIONS : ONE_FUNCTION,
    ...slotOf(device, slot),
  };
}

function slotOf(device: Specification, positional: string | undefined): Pci {
  const text = device.string('vslot') ?? positional;
  if (text === undefined) {
    return {};
  }
  if (!/^(0x)?[01]?[0-9a-f]$/i.test(text)) {
    throw device.invalid('has a vslot that is none: hexadecimal, from 0 to 1f');
  }
  return { vdevfn: Number.parseInt(text, 16) << 3 };
}
