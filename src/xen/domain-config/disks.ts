/** `disk`: libxlutil reads its specifications (xl-disk-configuration(5)). */
import type { Disk } from '../libxl-config.js';
import { parseDiskSpecification } from '../xl-config-file.js';
import type { Settings } from './settings.js';

/** `disks`; undefined where the file has no `disk`. */
export function disksFrom(settings: Settings): Disk[] | undefined {
  return settings
    .strings('disk')
    ?.map((text) => settings.parsed('disk', text, parseDiskSpecification));
}
