/**
 * A process for the test of orphans: makes domains, and exits with all of them; or makes and drops them
 * without end, to be killed. Its first line says what it found at its start, as JSON; the second is
 * "busy".
 */

import { readFileSync } from 'node:fs';
import { XenDriver } from '../../src/drivers/xen.js';
import { parseElf } from '../../src/image/elf.js';
import { MEMORY_BYTES } from '../drivers/test-guests.js';

const [file = '', end] = process.argv.slice(2);
const driver = new XenDriver();
const reaped = await driver.reaped;
process.stdout.write(`${JSON.stringify(reaped)}\n`);
const cold = await driver.load({
  image: parseElf(readFileSync(file), file),
  configuration: new Map(),
  memoryBytes: MEMORY_BYTES,
  name: 'orphan',
  shellsAhead: 2,
});
const make = () => cold.createShell({ reusable: false });
const held = [await make()];
process.stdout.write('busy\n');
if (end === 'exits') {
  process.exit();
}
for (;;) {
  held.push(await make());
  if (held.length > 3) {
    await held.shift()?.destroy();
  }
}
