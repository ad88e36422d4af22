/** `vif`: network interfaces (xl-network-configuration(5)). */
import type { Nic } from '../libxl-config.js';
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
      ...rateFrom(nic),
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

function rateFrom(nic: Specification): Nic {
  const text = nic.string('rate');
  if (text === undefined) {
    return {};
  }
  const rate = parseRate(text);
  if (rate === undefined) {
    throw nic.invalid('has a rate that is none: like 10Mb/s, 250KB/s or 1MB/s@20ms');
  }
  return { rate_bytes_per_interval: rate.bytes, rate_interval_usecs: rate.microseconds };
}

const RATE = /^(\d+)([GMK]?)(b|B)\/s(?:@(\d+)(ms|us|s))?$/;
const POWERS: Readonly<Record<string, bigint>> = {
  '': 1n,
  K: 1_000n,
  M: 1_000_000n,
  G: 1_000_000_000n,
};
const MICROSECONDS: Readonly<Record<string, bigint>> = { us: 1n, ms: 1_000n, s: 1_000_000n };
const MAX_INTERVAL = 2n ** 32n - 1n;

/** How much may be sent: so many bytes in each interval. */
export interface Rate {
  readonly bytes: number;
  readonly microseconds: number;
}

/** `RATE/s[@INTERVAL]`, as libxlutil's xlu_vif_parse_rate has it: decimal multiples, 50 ms. */
export function parseRate(text: string): Rate | undefined {
  const [, amount = '', power = '', unit, time = '50', timeUnit = 'ms'] = RATE.exec(text) ?? [];
  if (amount === '') {
    return undefined;
  }
  const bits = BigInt(amount) * (POWERS[power] ?? 1n) * (unit === 'B' ? 8n : 1n);
  const microseconds = BigInt(time) * (MICROSECONDS[timeUnit] ?? 1n);
  const bytes = ((bits / 8n) * microseconds) / 1_000_000n;
  if (microseconds === 0n || microseconds > MAX_INTERVAL || bytes > Number.MAX_SAFE_INTEGER) {
    return undefined;
  }
  return { bytes: Number(bytes), microseconds: Number(microseconds) };
}
