/** `vif`: network interfaces (xl-network-configuration(5)). */
import type { Nic } from '../libxl-config.js';
import { parseVifRate } from '../xl-config-file.js';
import { definedOf, type Settings } from './settings.js';
import { type Specification, specificationsOf } from './specification.js';

const TYPES = { vif: 'vif', ioemu: 'vif_ioemu' } as const;
const MAC = /^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i;

/** `nics`; undefined where the file has no `vif`. */
export function nicsFrom(settings: Settings): Nic[] | undefined {
  return specificationsOf(settings, 'vif', (nic, index) =>
    definedOf({
      devid: nic.integer('devid') ?? index,
      mac: macFrom(nic),
      bridge: nic.string('bridge'),
      ip: nic.string('ip'),
      script: nic.string('script'),
      ifname: nic.string('vifname'),
      model: nic.string('model'),
      nictype: nic.choice('type', TYPES),
      mtu: nic.integer('mtu'),
      backend_domname: nic.string('backend'),
      gatewaydev: nic.string('gatewaydev') ?? nic.string('netdev'),
      ...rateFrom(settings, nic),
      trusted: nic.trust(),
    }),
  );
}

function macFrom(nic: Specification): string | undefined {
  const mac = nic.string('mac');
  if (mac === undefined) {
    return undefined;
  }
  if (!MAC.test(mac)) {
    throw nic.invalid('has a mac that is none: six numbers like 00:16:3e:01:02:03');
  }
  return mac
    .split(':')
    .map((part) => part.padStart(2, '0').toLowerCase())
    .join(':');
}

function rateFrom(settings: Settings, nic: Specification): Nic {
  const rate = nic.string('rate');
  return rate === undefined ? {} : settings.parsed('vif', rate, parseVifRate);
}
