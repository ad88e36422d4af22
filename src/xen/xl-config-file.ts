/**
 * The syntax of xl's configuration files (xl.cfg(5)), parsed by libxlutil, as xl does it. What the keys
 * mean is not known here. Needs no Xen, only the addon.
 */
import { HatcheryError } from '../errors.js';
import type { Disk } from './libxl-config.js';
import { loadLibxlAddon, type Parsed, type XlValue } from './libxl-native.js';

export type { XlValue } from './libxl-native.js';

export interface XlSetting {
  readonly key: string;
  /** A string (numbers too), or a list of such values. */
  readonly value: XlValue;
  /** Where the key was last set, from 1. */
  readonly line: number;
}

/** As libxlu_cfg_l.l reads them; only what is a key has a group. */
const TOKEN = /#.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[0-9][0-9a-fx]*|([a-z][._0-9a-z]*)|\n/g;

/** The keys in the order of their first appearance; libxlutil tells only the values of known ones. */
function linesOfKeys(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let line = 1;
  for (const [token, key] of text.matchAll(TOKEN)) {
    if (token === '\n') {
      line += 1;
    } else if (key !== undefined) {
      lines.set(key, line);
    }
  }
  return lines;
}

function valueParsed<Value>(parsed: Parsed<Value>, path: string): Value {
  if (parsed.value === undefined) {
    const problem = parsed.report.trim().replace(/\n/g, '; ') || 'libxlutil cannot read it';
    throw new HatcheryError('CONFIGURATION_INVALID', { path, problem });
  }
  return parsed.value;
}

/**
 * @param text the file's content
 * @param path its name, for messages
 * @throws HatcheryError CONFIGURATION_INVALID, ADDON_MISSING
 */
export function parseXlConfig(text: string, path: string): readonly XlSetting[] {
  if (text.includes('\0')) {
    throw new HatcheryError('CONFIGURATION_INVALID', { path, problem: 'it is not a text file' });
  }
  // libxlutil takes a comment only where a line end follows it.
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  const lines = linesOfKeys(whole);
  const values = valueParsed(
    loadLibxlAddon().parseConfiguration(whole, path, [...lines.keys()]),
    path,
  );
  return [...lines].flatMap(([key, line]) => {
    const value = values[key];
    return value === undefined ? [] : [{ key, value, line }];
  });
}

/**
 * One entry of `disk = [ … ]` (xl-disk-configuration(5)).
 * @throws HatcheryError CONFIGURATION_INVALID, ADDON_MISSING
 */
export function parseDiskSpecification(specification: string): Disk {
  return valueParsed(loadLibxlAddon().parseDisk(specification), `disk '${specification}'`) as Disk;
}

/**
 * The rate of a network interface (xl-network-configuration(5)): `10MB/s@50ms`.
 * @throws HatcheryError CONFIGURATION_INVALID, ADDON_MISSING
 */
export function parseVifRate(rate: string): {
  readonly rate_bytes_per_interval: number;
  readonly rate_interval_usecs: number;
} {
  return valueParsed(loadLibxlAddon().parseRate(rate), `rate '${rate}'`);
}
