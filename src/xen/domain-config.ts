/**
 * A domain's configuration from a file of xl.cfg(5). libxlutil parses the file, as it does for xl; what
 * its keys mean is xl's own knowledge, which no library has, so it is written down here again.
 *
 * Where xl warns about a value of a wrong type, or says nothing, and goes on without it, this refuses.
 * Keys that xl does not know are warned about; so are those that it knows and this does not carry over.
 */
import { bootSourceFrom, type FindFirmware } from './domain-config/boot-source.js';
import type { HostCpus } from './domain-config/cpu-list.js';
import { devicesFrom } from './domain-config/devices.js';
import { disksFrom } from './domain-config/disks.js';
import { framebuffersFrom } from './domain-config/framebuffers.js';
import { deviceModelFrom, guestTypeFrom } from './domain-config/guest-type.js';
import { domainTypeFrom, identityFrom } from './domain-config/identity.js';
import { KNOWN_KEYS } from './domain-config/known-keys.js';
import { nicsFrom } from './domain-config/nics.js';
import { pciDevicesFrom } from './domain-config/pci-devices.js';
import { limitsFrom, machineAccessFrom, memoryFrom } from './domain-config/resources.js';
import { type ConfigWarning, definedOf, type Setting, Settings } from './domain-config/settings.js';
import { shutdownActionsFrom } from './domain-config/shutdown-actions.js';
import { vcpusFrom } from './domain-config/vcpus.js';
import type { DomainConfig } from './libxl-config.js';
import { parseXlConfig } from './xl-config-file.js';

export type { FindFirmware } from './domain-config/boot-source.js';
export type { HostCpus } from './domain-config/cpu-list.js';
export type { ConfigWarning } from './domain-config/settings.js';

export interface ConfigSource {
  /** The file's text. */
  readonly text: string;
  /** Its name, for messages. */
  readonly file: string;
  /** Settings that win over the file's: `key=value`, several in one with `;` between them. */
  readonly overrides?: readonly string[];
}

/** What a file does not say itself. */
export interface ConfigSurroundings {
  /** Undefined where there is no Xen to ask. */
  readonly host: HostCpus | undefined;
  readonly findFirmware: FindFirmware;
}

export interface ReadConfig {
  readonly config: DomainConfig;
  readonly warnings: readonly ConfigWarning[];
}

/**
 * Reads a domain's configuration.
 * @throws HatcheryError ADDON_MISSING; CONFIGURATION_INVALID, which names the file, the line and the key
 */
export function readDomainConfig(
  source: ConfigSource,
  { host, findFirmware }: ConfigSurroundings,
): ReadConfig {
  const settings = new Settings(settingsOf(source), source.file);
  const type = domainTypeFrom(settings);
  const pcidevs = pciDevicesFrom(settings);
  const config: DomainConfig = {
    c_info: identityFrom(settings, type),
    b_info: {
      ...vcpusFrom(settings, host),
      ...memoryFrom(settings),
      ...limitsFrom(settings),
      ...machineAccessFrom(settings),
      ...bootSourceFrom(settings, type, findFirmware),
      ...deviceModelFrom(settings),
      ...guestTypeFrom(settings, type, pcidevs !== undefined && pcidevs.length > 0),
    },
    ...definedOf({
      disks: disksFrom(settings),
      nics: nicsFrom(settings),
      pcidevs,
    }),
    ...framebuffersFrom(settings, type),
    ...devicesFrom(settings),
    ...shutdownActionsFrom(settings),
  };
  for (const key of settings.unread()) {
    settings.warn(
      key,
      KNOWN_KEYS.has(key) ? `is not used here for a ${type} domain` : 'is no key of xl.cfg',
    );
  }
  return { config, warnings: settings.warnings };
}

/** The settings of the file and of what wins over it, each with its place. */
function settingsOf({ text, file, overrides = [] }: ConfigSource): Map<string, Setting> {
  const lines = text.split('\n').length;
  const whole = [text, ...overrides.map(quoteValue)].join('\n');
  return new Map(
    parseXlConfig(whole, file).map(({ key, value, line }) => {
      const place = line > lines ? 'the command line' : `${file}:${line}`;
      return [key, { value, place }];
    }),
  );
}

const WORD = /^\s*([a-z][_0-9a-z]*)\s*(\+?=)\s*([^'"[;\s][^;]*)$/;
const NUMBER = /^[0-9][0-9a-fx]*$/;

/** A single word on the command line needs no quotes of its own: `name=web` is `name="web"`. */
function quoteValue(setting: string): string {
  const [, key, operator, value = ''] = WORD.exec(setting) ?? [];
  return key === undefined || NUMBER.test(value)
    ? setting
    : `${key} ${operator} "${value.replace(/["\\]/g, '\\$&')}"`;
}
