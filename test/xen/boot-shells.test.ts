/** With `boot`, a request gets an empty domain that was made ahead: it is filled and booted then. */

import t from 'tap';
import { XenDriver } from '../../src/drivers/xen.js';
import { DEFAULT_LIMITS, Fabric } from '../../src/index.js';
import { type Listed, listDomains, livingDomains } from './domain-list.js';
import { until, within } from './patience.js';
import { xenMissing } from './xen-guests.js';

/** How many the fabric keeps. */
const AHEAD = 4;
/** Everything takes longer here than on a host. */
const MILLISECONDS = 60_000;
const LIMITS = {
  ...DEFAULT_LIMITS,
  memoryBytes: 16 << 20,
  startupMilliseconds: MILLISECONDS,
  wallMilliseconds: MILLISECONDS,
  cpuMilliseconds: MILLISECONDS,
};

/** The domains once there are as many empty ones as are kept, and no others. */
const shells = (): Promise<Listed[]> =>
  until(`${AHEAD} empty domains are there, and no others`, async () => {
    const domains = livingDomains();
    const areEmpty = domains.every(({ name }) => name.startsWith('hatchery-shell-'));
    return areEmpty && domains.length === AHEAD && domains;
  });

const numbers = (domains: readonly Listed[]) => domains.map(({ domid }) => domid);

for (const guestType of ['pvh', 'pv'] as const) {
  t.test(`boot with domains of ${guestType}`, { skip: xenMissing() }, async (t) => {
    const admission = { queueMilliseconds: MILLISECONDS };
    const fabric = await Fabric.open({ driver: new XenDriver({ guestType }), admission });
    try {
      const fn = await fabric.deploy({
        name: 'f',
        image: 'hello',
        strategy: 'boot',
        limits: LIMITS,
      });
      let before = numbers(await shells());
      for (let request = 0; request < 3; request += 1) {
        const response = await within('a response', fn.fetch('http://f/'));
        t.equal(response.status, 200);
        await response.text();
        const after = numbers(await shells());
        // Xen counts up: any other domain in between would have taken a number.
        const [oldest, ...others] = before;
        t.same(after, [...others, Math.max(...before) + 1], `domain ${oldest} served it`);
        before = after;
      }
      await fn.remove();
      t.same(await listDomains(), [], 'they go with the function');
    } finally {
      await fabric.close();
    }
  });
}
