/** How long does a machine take from nothing to an image's first instructions? */
import { readFileSync } from 'node:fs';
import type { Snapshot } from '../../src/drivers/driver.js';
import { KvmDriver } from '../../src/drivers/kvm.js';
import { parseElf } from '../../src/image/elf.js';
import { ROOT } from '../harness/folders.js';
import { atMost, type Row } from '../harness/report.js';
import { median } from '../harness/statistics.js';
import type { Question } from '../question.js';

const BOOTS = 300;
const MEMORY_BYTES = 16 << 20;
const MILLISECONDS = 5_000;
const MOST_MICROSECONDS = 500;

/** Microseconds: until there is a virtual machine, and from then until its guest says that it is ready. */
async function boot(cold: Snapshot): Promise<{ creation: number; start: number }> {
  const begin = performance.now();
  const shell = await cold.createShell({ reusable: false });
  const created = performance.now();
  const exit = await shell.run(undefined, created + MILLISECONDS, MILLISECONDS, 'inline');
  const ready = performance.now();
  await shell.destroy();
  if (exit.kind !== 'ready') throw new Error(`the guest did not get ready: ${exit.kind}`);
  return { creation: (created - begin) * 1000, start: (ready - created) * 1000 };
}

export const bootHello: Question = {
  name: 'boot',
  async run(progress) {
    const driver = new KvmDriver();
    try {
      const image = parseElf(readFileSync(`${ROOT}dist/images/hello.elf`), 'hello');
      const options = { image, configuration: new Map(), memoryBytes: MEMORY_BYTES };
      const cold = await driver.load(options);
      progress(`${BOOTS} boots`);
      // The first ones warm the way.
      for (let number = 0; number < BOOTS / 10; number++) await boot(cold);
      const boots: Awaited<ReturnType<typeof boot>>[] = [];
      for (let number = 0; number < BOOTS; number++) boots.push(await boot(cold));
      const whole = median(boots.map(({ creation, start }) => creation + start));
      const creation = median(boots.map((one) => one.creation));
      const row: Row = {
        question: 'boot',
        figure: 'boot of images/hello until it is ready, p50',
        value: whole,
        unit: 'µs',
        baseline: { name: 'the creation of its virtual machine', value: creation },
        target: atMost(
          whole - creation,
          MOST_MICROSECONDS,
          `at most ${MOST_MICROSECONDS} µs more than the creation`,
        ),
      };
      return [row];
    } finally {
      await driver.close();
    }
  },
};
