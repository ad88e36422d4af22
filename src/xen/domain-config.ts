/**
 * A domain's configuration from a file of xl.cfg(5). libxlutil parses the file, as it does for xl; what
 * its keys mean is xl's own knowledge, which no library has, so it is written down here again.
 *
 * Where xl warns about a value of a wrong type, or says nothing, and goes on without it, this refuses.
 * Keys that xl does not know are warned about; so are those that it knows and this does not carry over.
 */
import { HatcheryError } from '../errors.js';
import { findAssignments } from './domain-config/assignments.js';
import { bootSourceFrom, type FindFirmware } from './domain-config/boot-source.js';
import type { HostCpus } from './domain-config/cpu-list.js';
import { devicesFrom } from './domain-config/devices.js';
import { disksFrom, lastReason } from './domain-config/disks.js';
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
import type { LibxlAddon } from './libxl-native.js';

export type { FindFirmware } from './domain-config/boot-source.js';
export type { HostCpus } from './domain-config/cpu-list.js';
export type { ConfigWarning } from './domain-config/settings.js';

/** libxlutil's parsers; none needs Xen. */
export type ConfigParsers = Pick<LibxlAddon, 'parseConfiguration' | 'parseDisk' | 'parseRate'>;

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
  readonly parsers: ConfigParsers;
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
 * @throws HatcheryError DOMAIN_CONFIG_INVALID, which names the file, the line and the key
 */
export function readDomainConfig(
  source: ConfigSource,
  { parsers, host, findFirmware }: ConfigSurroundings,
): ReadConfig {
  const settings = new Settings(settingsOf(source, parsers), source.file);
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
      disks: disksFrom(settings, parsers.parseDisk),
      nics: nicsFrom(settings, parsers.parseRate),
      pcidevs,
    }),
    ...framebuffersFrom(settings),
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
function settingsOf(
  { text, file, overrides = [] }: ConfigSource,
  parsers: ConfigParsers,
): Map<string, Setting> {
  const lines = text.split('\n').length;
  const whole = [text, ...overrides.map(quoteValue), ''].join('\n');
  const assignments = findAssignments(whole);
  const parsed = parsers.parseConfiguration(whole, file, [...assignments.keys()]);
  if (parsed.value === undefined) {
    throw syntaxError(parsed.report, file, lines);
  }
  const settings = new Map<string, Setting>();
  for (const [key, line] of assignments) {
    const value = parsed.value[key];
    if (value !== undefined) {
      settings.set(key, { value, place: placeOf(line, file, lines) });
    }
  }
  return settings;
}

/** A single word on the command line needs no quotes of its own: `name=web` is `name="web"`. */
function quoteValue(setting: string): string {
  const match = /^\s*([a-z][_0-9a-z]*)\s*(\+?=)\s*([^'"[;\s][^;]*)$/.exec(setting);
  const [, key, operator, value = ''] = match ?? [];
  if (key === undefined || /^[0-9][0-9a-fx]*$/.test(value)) {
    return setting;
  }
  return `${key} ${operator} "${value.replace(/["\\]/g, '\\$&')}"`;
}

function placeOf(line: number, file: string, lines: number): string {
  return line > lines ? 'the command line' : `${file}:${line}`;
}

function syntaxError(report: string, file: string, lines: number): HatcheryError {
  const line = Number(/:(\d+): /.exec(report)?.[1] ?? 0);
  const near = /near `((?:.|\n)*?)': /.exec(report)?.[1]?.trim();
  const problem = [
    near === undefined ? '' : `near ${near}: `,
    lastReason(report.split('\n')[0] ?? ''),
  ];
  return new HatcheryError('DOMAIN_CONFIG_INVALID', {
    place: line === 0 ? file : placeOf(line, file, lines),
    key: undefined,
    problem: problem.join(''),
  });
}
