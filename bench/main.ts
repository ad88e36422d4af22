/** `npm run bench`: answers the questions, each figure with its target, as a table and as JSON. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from './harness/machine.js';
import { formatTable, missed, type Row } from './harness/report.js';
import type { Question } from './question.js';
import { bootHello } from './questions/boot.js';
import { clone } from './questions/clone.js';
import { coldStart } from './questions/cold-start.js';
import { deadline } from './questions/deadline.js';
import { http } from './questions/http.js';
import { memory } from './questions/memory.js';
import { processClone } from './questions/process-clone.js';
import { reset } from './questions/reset.js';
import { rewind } from './questions/rewind.js';
import { walls } from './questions/walls.js';
import { webassembly } from './questions/webassembly.js';

const QUESTIONS: readonly Question[] = [
  reset,
  rewind,
  http,
  walls,
  bootHello,
  clone,
  processClone,
  coldStart,
  deadline,
  memory,
  webassembly,
];
const NAMES = QUESTIONS.map(({ name }) => name).join(', ');

const HELP = `Usage: npm run bench -- [options]

  --only NAME   answer one question, may be given several times: ${NAMES}
  --json FILE   write the figures as JSON, too
  --check       exit with status 1 when a target is missed
  --help        this text
`;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function chosen(): readonly Question[] {
  const unknown = options.only.find(
    (name) => !QUESTIONS.some((question) => question.name === name),
  );
  if (unknown !== undefined) throw new Error(`there is no question ${unknown}; there are ${NAMES}`);
  return QUESTIONS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
}

async function main(): Promise<void> {
  const machine = describeMachine();
  const rows: Row[] = [];
  for (const { name, run } of chosen()) {
    const start = performance.now();
    const progress = (text: string) => process.stderr.write(`${name}: ${text}\n`);
    rows.push(...(await run(progress)));
    progress(`done in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
  process.stdout.write(`${formatMachine(machine)}\n\n${formatTable(rows)}\n`);
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
  }
  const failed = missed(rows);
  process.stdout.write(
    `\n${failed.length === 0 ? 'All targets met' : `${failed.length} missed`}\n`,
  );
  if (options.check && failed.length > 0) process.exitCode = 1;
}

if (options.help) process.stdout.write(HELP);
else await main();
