/** Settings of a version, for tests of what keeps them. */
import type { VersionSettings } from '../../src/control/data/stored-function.js';

export function settings(some: Partial<VersionSettings> = {}): VersionSettings {
  return {
    ...{ image: 'js', env: {}, limits: {}, allowFetch: [], warmUp: false },
    ...{ hosts: [], commandLine: [] },
    ...some,
  };
}
