/**
 * Programs of Dom0 keep their vector registers while guests that use theirs run on the same processor.
 * That is Xen's business and the processor's: an emulated one that gets it wrong damages whatever Dom0
 * does, our tests included. See docs/xen-lab.md, "The processor".
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { TestGuests } from '../drivers/test-guests.js';
import { deploy, openFabric } from '../fabric/fabric-under-test.js';
import { xenMissing } from './xen-guests.js';

const SECONDS = 5;
/** More than one, so that Dom0's kernel changes between them. */
const PROGRAMS = 2;
const DOM0_PROCESSOR = '0';
/** Is interrupted while it computes, by programs of Dom0's. */
const SOURCE = `
  export default {
    fetch() {
      let sum = 0;
      for (let i = 0; i < 3000; i++) sum += Math.sqrt(i);
      return new Response(String(Math.round(sum)));
    },
  };
`;
const SUM = '109517';

/** All domains that are there, but for those that end meanwhile. */
function pinToDom0(): number {
  const rows = execFileSync('xl', ['list'], { encoding: 'utf8' }).trim().split('\n').slice(2);
  return rows.filter((row) => {
    const domain = row.trim().split(/\s+/)[1] as string;
    const { status } = spawnSync('xl', ['vcpu-pin', domain, 'all', DOM0_PROCESSOR]);
    return status === 0;
  }).length;
}

t.test('vector registers of Dom0', { skip: xenMissing() }, async (t) => {
  const guests = new TestGuests();
  await using fabric = await openFabric();
  t.teardown(() => guests.remove());
  const fn = await deploy(fabric, { name: 'sum', source: SOURCE, strategy: 'reset' });
  const wrong: string[] = [];
  let served = 0;
  const request = async () => {
    const answer = await (await fn.fetch('http://sum/')).text();
    if (answer !== SUM) wrong.push(answer);
    served += 1;
  };
  await request();
  t.ok(pinToDom0() > 0);

  const program = guests.path('keeps_registers');
  let isRunning = true;
  const seen = Promise.all(
    Array.from({ length: PROGRAMS }, () => promisify(execFile)(program, [String(SECONDS)])),
  ).finally(() => {
    isRunning = false;
  });
  while (isRunning) await request();
  t.ok(served > 10, `${served} guests ran meanwhile`);
  for (const { stdout } of await seen) {
    const { rounds, lost } = JSON.parse(stdout);
    t.ok(rounds > 100, `${rounds} rounds`);
    t.equal(lost, 0, 'rounds in which registers were lost');
  }
  t.same(wrong, [], 'guests compute right, too');
});
