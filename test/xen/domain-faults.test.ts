/**
 * Each call that making or ending a domain consists of may fail: the error names it, and nothing is
 * left of the domain, neither in Xen nor in xenstore.
 */

import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Shell } from '../../src/drivers/driver.js';
import { XenDriver } from '../../src/drivers/xen.js';
import { HatcheryError } from '../../src/errors.js';
import { type Faults, MEMORY_BYTES, TestGuests } from '../drivers/test-guests.js';
import { listDomains, storeList } from './domain-list.js';
import { loadXenTestAddon, xenMissing } from './xen-guests.js';

/** Threads are started now and then, not by each shell. */
const INCIDENTAL = ['pthread_create'];

t.test('failing calls', { skip: xenMissing() }, async (t) => {
  const addon = loadXenTestAddon();
  const { faults } = addon as unknown as { readonly faults: Faults };
  const driver = new XenDriver({ addon });
  const guests = new TestGuests();
  const image = guests.image('spin');
  guests.remove();
  const snapshot = await driver.load({
    image,
    configuration: new Map(),
    memoryBytes: MEMORY_BYTES,
  });
  t.teardown(() => driver.close());
  const before = { domains: await listDomains(), entries: storeList('/local/domain') };
  /** Waits until nothing is left of what was dropped; where it waits for ever, the test's time ends it. */
  const allGone = async () => {
    while (
      (await listDomains()).length > before.domains.length ||
      storeList('/local/domain').length > before.entries.length
    ) {
      await sleep(10);
    }
  };
  const make = () => snapshot.createShell({ reusable: true });

  /** What a shell's whole life calls, and how often. */
  const recorded = async () => {
    faults.record();
    await (await make()).destroy();
    await allGone();
    return faults.recorded();
  };
  await recorded();
  const calls = await recorded();
  t.ok(calls.xc_domain_create, Object.keys(calls).join());

  for (const [call, count] of Object.entries(calls)) {
    if (INCIDENTAL.includes(call)) {
      continue;
    }
    for (const number of new Set([1, count])) {
      faults.inject(call, number, constants.errno.EIO);
      let made: Shell | undefined;
      let error: unknown;
      try {
        made = await make();
      } catch (thrown) {
        error = thrown;
      }
      await made?.destroy();
      await allGone();
      t.ok(faults.injected(), `${call} #${number} failed`);
      if (made === undefined) {
        t.match(error, { code: 'DRIVER_FAILED', details: { call, errno: 'EIO' } });
        t.ok(error instanceof HatcheryError);
      }
    }
  }
  t.same(await listDomains(), before.domains);
  t.same(storeList('/local/domain'), before.entries);
  const shell = await make();
  t.equal((await listDomains()).length, before.domains.length + 1, 'domains can still be made');
  await shell.destroy();
});
