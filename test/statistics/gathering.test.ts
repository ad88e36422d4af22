/** What the processes of a server tell, gathered: also of those that lie, die, or do not answer. */
import t from 'tap';
import { Counts } from '../../src/statistics/counts.js';
import { Gathering, type Source } from '../../src/statistics/gathering.js';
import type { Told } from '../../src/statistics/teller.js';
import { Totals } from '../../src/statistics/totals.js';

const LOAD = { waiting: 1, queueLimit: 10, running: 2, limit: 4, spawned: 3 };
const FRESH_MILLISECONDS = 200;

function row(name: string | undefined, served: number) {
  const counts = new Counts();
  for (let count = 0; count < served; count += 1) {
    counts.addOutcome('served');
  }
  return { name, counts: counts.take() };
}

function told(some: Partial<Told>): Told {
  return { rows: [], pools: [], load: LOAD, hasMore: false, ...some };
}

/** A process that tells these, one after the other, then nothing new. */
function source(...all: (Told | Promise<Told>)[]): Source & { asked: number } {
  return {
    processId: process.pid,
    asked: 0,
    async tell() {
      this.asked += 1;
      return all.shift() ?? told({});
    },
  };
}

const stale = () => new Promise((resolve) => setTimeout(resolve, FRESH_MILLISECONDS + 20));

t.test('processes are added up', async (t) => {
  const gathering = new Gathering();
  gathering.keep('a');
  const pool = { name: 'a', running: 1, ready: 2, waiting: 0 };
  const one = source(told({ rows: [row('a', 2), row(undefined, 1)], pools: [pool] }));
  const other = source(told({ rows: [row('a', 3)], pools: [{ ...pool, ready: 5 }] }));
  gathering.join(one, '0');
  gathering.join(other, '1');
  const reading = await gathering.read();
  t.equal(reading.all.requests, 6);
  t.equal(reading.nameless.requests, 1);
  t.match(reading.functions, [{ name: 'a', pool: { running: 2, ready: 7, waiting: 0 } }]);
  t.equal(reading.functions[0]?.counts.requests, 5);
  t.same(reading.load, { waiting: 2, queueLimit: 20, running: 4, limit: 8, spawned: 6 });
  t.match(reading.processes, [
    { label: '0', processId: process.pid, residentBytes: Number },
    { label: '1' },
  ]);
  t.equal(await gathering.read(), reading, 'what is fresh is not asked for again');
  t.equal(one.asked, 1);

  await t.test('one that dies has told what it has told', async (t) => {
    gathering.leave(other);
    gathering.noteRestart();
    await stale();
    const after = await gathering.read();
    t.equal(after.all.requests, 6);
    t.match(after, { restarts: 1, load: LOAD, processes: { length: 1 } });
    t.match(after.functions, [{ pool: { ready: 2 } }]);
    t.ok(after.at >= reading.at);
  });

  await t.test('a function that is removed leaves the sums as they are', async (t) => {
    gathering.forget('a');
    await stale();
    const after = await gathering.read();
    t.same(after.functions, []);
    t.equal(after.all.requests, 6);
    gathering.keep('a');
    await stale();
    t.match((await gathering.read()).functions, [{ name: 'a', pool: { ready: 0 } }], 'a new one');
  });
});

t.test('names that nobody deployed are refused', async (t) => {
  const gathering = new Gathering();
  gathering.keep('a');
  const names = Array.from({ length: 1_000 }, (_, index) => `x-${index}`);
  const pools = names.map((name) => ({ name, running: 1, ready: 1, waiting: 1 }));
  gathering.join(source(told({ rows: names.map((name) => row(name, 1)), pools })), '0');
  const reading = await gathering.read();
  t.equal(reading.all.requests, 0);
  t.match(reading.functions, [{ name: 'a', pool: { running: 0 } }]);
});

t.test('one that always has more is not asked for ever', async (t) => {
  const gathering = new Gathering();
  const endless = {
    processId: process.pid,
    asked: 0,
    async tell() {
      this.asked += 1;
      return told({ hasMore: true });
    },
  };
  gathering.join(endless, '0');
  await gathering.read();
  t.equal(endless.asked, 1);
  const patient = new Gathering();
  for (let count = 0; count < 300; count += 1) patient.keep(`f-${count}`);
  const rest = source(
    told({ rows: [row('f-1', 1)], hasMore: true }),
    told({ rows: [row('f-299', 1)] }),
  );
  patient.join(rest, '0');
  t.equal((await patient.read()).all.requests, 2);
});

t.test('one that does not answer keeps nobody waiting, and counts when it does', async (t) => {
  const gathering = new Gathering();
  let answer: (told: Told) => void = () => {};
  const busy = source(
    new Promise<Told>((resolve) => {
      answer = resolve;
    }),
  );
  const dead: Source = { processId: 0, tell: () => Promise.reject(new Error('dead')) };
  gathering.join(busy, '0');
  gathering.join(dead, '1');
  t.equal((await gathering.read()).all.requests, 0);
  await stale();
  await gathering.read();
  t.equal(busy.asked, 1, 'it is not asked twice');
  answer(told({ rows: [row(undefined, 4)] }));
  await stale();
  const reading = await gathering.read();
  t.equal(reading.all.requests, 4);
  t.match(reading.processes, [{ label: '0' }], 'there is no process 0');
});

t.test('asked again and again, where nobody reads', async (t) => {
  const gathering = new Gathering();
  const one = source(told({ rows: [row(undefined, 1)] }));
  gathering.join(one, '0');
  gathering.begin();
  while (one.asked < 2) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  gathering.close();
  t.equal((await gathering.read()).all.requests, 1);
});

t.test('how many are named is bounded, and who is stays so', (t) => {
  const totals = new Totals(2);
  for (const name of ['a', 'b', 'c', 'd']) totals.keep(name);
  for (const name of ['a', 'b', 'c', 'd']) totals.add(row(name, 1));
  const named = () =>
    [...totals.functions].filter(({ isNamed }) => isNamed).map(({ name }) => name);
  t.same(named(), ['a', 'b']);
  t.equal(totals.others.requests, 2);
  totals.forget('a');
  t.same(named(), ['b'], 'c stays where it was counted');
  totals.forget('d');
  t.equal(totals.others.requests, 2, 'others do not go back');
  totals.keep('e');
  totals.keep('e');
  t.same(named(), ['b', 'e'], 'a new one takes the place');
  totals.keep('f');
  totals.add(row('f', 1));
  totals.add(row('a', 1));
  t.equal(totals.others.requests, 3);
  t.equal(totals.all.requests, 5);
  t.end();
});
