/** What does an instance cost in the process driver, compared with starting a static program? */
import { readFileSync } from 'node:fs';
import type { Snapshot } from '../../src/drivers/driver.js';
import { ProcessDriver } from '../../src/drivers/process.js';
import { parseElf } from '../../src/image/elf.js';
import { ROOT } from '../harness/folders.js';
import { answerByProcesses } from '../harness/process-per-request.js';
import { compileProgram } from '../harness/programs.js';
import { atMost, type Row } from '../harness/report.js';
import { alternate } from '../harness/rounds.js';
import { ratio, summarize } from '../harness/statistics.js';
import type { Question } from '../question.js';
import { URL_TEMPLATE } from '../requests.js';

const ROUNDS = 15;
const INSTANCES = 100;
const MEMORY_BYTES = 16 << 20;
const MILLISECONDS = 5_000;
const LIMIT = 1 / 2;

/** `GET /`, as the ABI frames it: sizes of head and body, flags, nothing; then the head. */
function requestFrame(): Buffer {
  const head = Buffer.from('GET\0http://hatchery.test/\0', 'latin1');
  const header = Buffer.alloc(16);
  header.writeUInt32LE(head.length, 0);
  return Buffer.concat([header, head]);
}

/** Microseconds from nothing to an answer, one instance after the other. */
async function live(snapshot: Snapshot, starts: boolean): Promise<number[]> {
  const bytes = requestFrame();
  const durations: number[] = [];
  for (let number = 0; number < INSTANCES; number++) {
    const start = performance.now();
    const deadline = start + MILLISECONDS;
    const shell = await snapshot.createShell({ reusable: false });
    if (starts) await shell.run(undefined, deadline, MILLISECONDS, 'inline');
    const exit = await shell.run({ reason: 'request', bytes }, deadline, MILLISECONDS, 'inline');
    durations.push((performance.now() - start) * 1000);
    if (exit.kind !== 'respond') throw new Error(`the guest did not answer: ${exit.kind}`);
    await shell.destroy();
  }
  return durations;
}

export const processClone: Question = {
  name: 'process-clone',
  async run(progress) {
    const driver = new ProcessDriver();
    try {
      const image = parseElf(readFileSync(`${ROOT}dist/images/hello.elf`), 'hello');
      const options = { image, configuration: new Map(), memoryBytes: MEMORY_BYTES };
      const cold = await driver.load(options);
      const shell = await cold.createShell({ reusable: false });
      await shell.run(undefined, performance.now() + MILLISECONDS, MILLISECONDS, 'thread');
      const ready = await shell.capture();
      await shell.destroy();
      const command = [compileProgram('hello'), URL_TEMPLATE];
      const sides = await alternate(
        ROUNDS,
        {
          clone: () => live(ready, false),
          boot: () => live(cold, true),
          program: async (round) =>
            (await answerByProcesses(command, { count: INSTANCES, first: round * INSTANCES }))
              .response,
        },
        (done, of) => progress(`round ${done + 1} of ${of}`),
      );
      const against = (name: string, baseline: number[][], isTarget: boolean): Row => {
        const share = ratio(sides.clone, baseline);
        return {
          question: 'process-clone',
          figure: 'clone in the process driver, nothing to answer, p50',
          value: summarize(sides.clone).p50,
          unit: 'µs',
          baseline: { name, value: summarize(baseline).p50 },
          ratio: share,
          ...(isTarget ? { target: atMost(share, LIMIT, `at most ${LIMIT}`) } : {}),
        };
      };
      return [
        against('boot: fork and exec of the launcher with the same image', sides.boot, true),
        // It has no walls, no socket and no channel, so this only says what these cost.
        against('posix_spawn of a static program', sides.program, false),
      ];
    } finally {
      await driver.close();
    }
  },
};
