/** What `hatchery/xen` offers: libxl, and domains from files of xl.cfg. */
export {
  type ConfigSource,
  type ConfigWarning,
  type HostCpus,
  type ReadConfig,
  readDomainConfig,
} from './domain-config.js';
export { keepDomain } from './domain-keeper.js';
export { findFirmware } from './firmware.js';
export * from './libxl.js';
export type * from './libxl-config.js';
export { type LibxlCode, type LibxlFailure, type LogLine, libxlFailure } from './libxl-failure.js';
export type * from './libxl-info.js';
