/** `disk`: libxlutil reads its specifications (xl-disk-configuration(5)). */
import type { Disk } from '../libxl-config.js';
import type { LibxlAddon } from '../libxl-native.js';
import type { Settings } from './settings.js';

/** `disks`; undefined where the file has no `disk`. */
export function disksFrom(
  settings: Settings,
  parseDisk: LibxlAddon['parseDisk'],
): Disk[] | undefined {
  return settings.strings('disk')?.map((specification) => {
    const { value, report } = parseDisk(specification);
    if (value === undefined) {
      throw settings.invalid('disk', `has "${specification}": ${lastReason(report)}`);
    }
    return value as Disk;
  });
}

/** What libxlutil says is wrong, without where it believes to be reading. */
export function lastReason(report: string): string {
  const line = report.trim().split('\n').at(-1) ?? '';
  return line.replace(/^.*(?:config parsing error[^:]*|warning): /, '') || 'it cannot be read';
}
