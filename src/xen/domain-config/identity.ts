/** What a domain is: its type, name and number, and what the hypervisor is told when it is made. */
import { randomUUID } from 'node:crypto';
import type { CreateInfo, DomainType } from '../libxl-config.js';
import { definedOf, type Settings } from './settings.js';

const TYPES = { pv: 'pv', pvh: 'pvh', hvm: 'hvm' } as const;
const BUILDERS = { generic: 'pv', linux: 'pv', hvm: 'hvm' } as const;
const PASSTHROUGH = {
  default: 'default',
  disabled: 'disabled',
  enabled: 'enabled',
  sync_pt: 'sync_pt',
  share_pt: 'share_pt',
} as const;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `type`, or the `builder` that was there before it; a PV domain where neither is given, as with xl. */
export function domainTypeFrom(settings: Settings): DomainType {
  const builder = settings.choice('builder', BUILDERS);
  return settings.choice('type', TYPES) ?? builder ?? 'pv';
}

/** `c_info`. */
export function identityFrom(settings: Settings, type: DomainType): CreateInfo {
  const name = settings.string('name');
  if (name === undefined || name === '') {
    throw settings.invalid('name', 'must be given');
  }
  const paging = type === 'pv' ? {} : { hap: settings.flag('hap'), oos: settings.flag('oos') };
  return definedOf({
    type,
    name,
    uuid: uuidFrom(settings),
    ...paging,
    ssid_label: settings.string('init_seclabel') ?? settings.string('seclabel'),
    pool_name: settings.string('pool'),
    run_hotplug_scripts: true,
    driver_domain: settings.flag('driver_domain'),
    passthrough: settings.choice('passthrough', PASSTHROUGH),
    xend_suspend_evtchn_compat: settings.flag('xend_suspend_evtchn_compat'),
  });
}

function uuidFrom(settings: Settings): string {
  const uuid = settings.string('uuid');
  if (uuid !== undefined && !UUID.test(uuid)) {
    throw settings.invalid('uuid', `must be a UUID, not "${uuid}"`);
  }
  return uuid ?? randomUUID();
}
