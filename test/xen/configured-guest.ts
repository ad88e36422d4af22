/** Guests of others, made from the text of an xl.cfg(5) file. */

import { readDomainConfig } from '../../src/xen/domain-config.js';
import type { Libxl } from '../../src/xen/libxl.js';
import { Screen } from './libxl-guests.js';

/** Makes a domain as `hatchery domain create` does, and gives its console from the first line on. */
export async function bootConfig(
  libxl: Libxl,
  text: string,
): Promise<{ domid: number; screen: Screen }> {
  const { config, warnings } = readDomainConfig(
    { text, file: 'guest.cfg' },
    { host: undefined, findFirmware: () => undefined },
  );
  if (warnings.length > 0) {
    throw new Error(`a key was not understood: ${JSON.stringify(warnings)}`);
  }
  const domid = await libxl.createDomain(config);
  const screen = new Screen(await libxl.openConsole(domid));
  await libxl.unpauseDomain(domid);
  return { domid, screen };
}
