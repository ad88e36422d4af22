/**
 * A process for the test of orphans: makes domains, and exits with all of them; or makes, fills, serves,
 * rewinds (of PVH) and drops them without end, to be killed. It says "starting", then what its start has
 * reaped, as JSON, then "busy" once it has a domain.
 */

import { readFileSync } from 'node:fs';
import type { Shell, XenGuestType } from '../../src/drivers/driver.js';
import { XenDriver } from '../../src/drivers/xen.js';
import { parseElf } from '../../src/image/elf.js';
import { AMPLE, MEMORY_BYTES, requestFrame, serve, soon } from '../drivers/test-guests.js';

/** Domains that it has at a time, besides those made ahead. */
const MOST_HELD = 3;
/** A request that the guest answers at once. */
const ANSWER = requestFrame(Buffer.from('a'));

const [file = '', end, type] = process.argv.slice(2);
const guestType = type as XenGuestType;
const say = (text: string) => process.stdout.write(`${text}\n`);

say('starting');
const driver = new XenDriver({ guestType });
say(JSON.stringify(await driver.reaped));
const cold = await driver.load({
  image: parseElf(readFileSync(file), file),
  configuration: new Map(),
  memoryBytes: MEMORY_BYTES,
  name: 'orphan',
  shellsAhead: 2,
});
const first = await cold.createShell({ reusable: false });
say('busy');
if (end === 'exits') {
  process.exit();
}
const boot = (shell: Shell) => shell.run(undefined, soon(), AMPLE, 'thread');
await boot(first);
const ready = guestType === 'pvh' ? await first.capture() : undefined;
const held = [first];
for (;;) {
  const shell = await cold.createShell({ reusable: false });
  held.push(shell);
  await boot(shell);
  await serve(shell, ANSWER);
  if (ready !== undefined) {
    const clone = await ready.createShell({ reusable: true });
    held.push(clone);
    await serve(clone, ANSWER);
    clone.rewind();
    await serve(clone, ANSWER);
  }
  while (held.length > MOST_HELD) {
    await held.shift()?.destroy();
  }
}
