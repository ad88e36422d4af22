/** Devices that are lists of `key=value` and nothing more: channels, 9pfs shares, TPMs, pvcalls, USB. */
import type { DomainConfig } from '../libxl-config.js';
import { definedOf, type Settings } from './settings.js';
import { type Specification, specificationsOf } from './specification.js';

type Devices<Kind extends keyof DomainConfig> =
  NonNullable<DomainConfig[Kind]> extends (infer D)[] ? D : never;

const CONTROLLER_TYPES = {
  auto: 'auto',
  pv: 'pv',
  qusb: 'qusb',
  devicemodel: 'devicemodel',
} as const;
const MAX_BYTE = 255;

export function devicesFrom(
  settings: Settings,
): Pick<DomainConfig, 'channels' | 'p9s' | 'vtpms' | 'pvcallsifs' | 'usbctrls' | 'usbdevs'> {
  return definedOf({
    channels: specificationsOf(settings, 'channel', channelFrom),
    p9s: specificationsOf(settings, 'p9', shareFrom),
    vtpms: specificationsOf(settings, 'vtpm', tpmFrom),
    pvcallsifs: specificationsOf(settings, 'pvcalls', (device, devid) =>
      definedOf({ devid, backend_domname: device.string('backend') }),
    ),
    usbctrls: specificationsOf(settings, 'usbctrl', usbControllerFrom),
    usbdevs: specificationsOf(settings, 'usbdev', usbDeviceFrom),
  });
}

function channelFrom(channel: Specification, devid: number): Devices<'channels'> {
  const common = {
    devid,
    name: channel.required('name'),
    backend_domname: channel.string('backend'),
  };
  const connection = channel.required('connection').toLowerCase();
  if (connection === 'pty') {
    return definedOf({ ...common, 'connection.pty': {} });
  }
  if (connection === 'socket') {
    const path = channel.required('path');
    return definedOf({ ...common, 'connection.socket': { path } });
  }
  throw channel.invalid('has an unknown connection: it must be pty or socket');
}

function shareFrom(share: Specification): Devices<'p9s'> {
  return definedOf({
    tag: share.required('tag'),
    path: share.required('path'),
    security_model: share.required('security_model'),
    backend_domname: share.string('backend'),
  });
}

function tpmFrom(tpm: Specification, devid: number): Devices<'vtpms'> {
  return definedOf({
    devid,
    backend_domname: tpm.required('backend'),
    uuid: tpm.string('uuid'),
  });
}

function usbControllerFrom(controller: Specification, devid: number): Devices<'usbctrls'> {
  return definedOf({
    devid,
    type: controller.choice('type', CONTROLLER_TYPES),
    version: controller.integer('version'),
    ports: controller.integer('ports'),
  });
}

function usbDeviceFrom(device: Specification): Devices<'usbdevs'> {
  device.choice('type', { hostdev: 'hostdev' });
  return definedOf({
    ctrl: device.integer('controller'),
    port: device.integer('port'),
    'type.hostdev': {
      hostbus: requiredByte(device, 'hostbus'),
      hostaddr: requiredByte(device, 'hostaddr'),
    },
  });
}

function requiredByte(device: Specification, name: string): number {
  const value = device.integer(name);
  if (value === undefined || value > MAX_BYTE) {
    throw device.invalid(`has no ${name}= from 0 to ${MAX_BYTE}`);
  }
  return value;
}
