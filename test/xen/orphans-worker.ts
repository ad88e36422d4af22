/**
 * A process for the test of orphans: makes domains, and exits with all of them; or makes, fills, serves,
 * rewinds and drops them without end, to be killed. It says "starting", then what its start has reaped,
 * as JSON, then "busy" once it has a domain.
 */

import { readFileSync } from 'node:fs';
import { XenDriver } from '../../src/drivers/xen.js';
import { parseElf } from '../../src/image/elf.js';
import { AMPLE, MEMORY_BYTES, requestFrame, serve, soon } from '../drivers/test-guests.js';

/** Domains that it has at a time, besides those made ahead. */
const MOST_HELD = 3;
/** A request that the guest answers at once. */
const ANSWER = requestFrame(Buffer.from('a'));

const [file = '', end] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);

say('starting');
const driver = new XenDriver();
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
await first.run(undefined, soon(), AMPLE, 'thread');
const ready = await first.capture();
const held = [first];
for (;;) {
  const shell = await ready.createShell({ reusable: true });
  held.push(shell);
  await serve(shell, ANSWER);
  shell.rewind();
  await serve(shell, ANSWER);
  held.push(await cold.createShell({ reusable: false }));
  while (held.length > MOST_HELD) {
    await held.shift()?.destroy();
  }
}
