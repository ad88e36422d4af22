/** One context serves all threads of the process, and none of them waits in libxl. Runs in the lab. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { Libxl } from '../../src/xen/libxl.js';
import { destroyAll, grubConfig, PATIENCE_MILLISECONDS } from './libxl-guests.js';

t.setTimeout(PATIENCE_MILLISECONDS);

const LIBXL = import.meta.resolve('../../src/xen/libxl.js');
const GUESTS = import.meta.resolve('./libxl-guests.js');

/** A thread that runs this, with `libxl`, `grubConfig`, `parentPort` and `name` at hand. */
function startWorker(name: string, body: string): Worker {
  const program = `
    const { parentPort, workerData: name } = await import('node:worker_threads');
    const { Libxl } = await import(${JSON.stringify(LIBXL)});
    const { grubConfig } = await import(${JSON.stringify(GUESTS)});
    const libxl = await Libxl.open();
    ${body}
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  return new Worker(url, { workerData: name });
}

t.test('two worker threads at once, each with its own domains', async (t) => {
  const workers = ['left', 'right'].map((name) =>
    startWorker(
      name,
      `for (let round = 0; round < 2; round++) {
        const domid = await libxl.createDomain(grubConfig('pvh', name + round));
        const { name: found } = await libxl.domainInfo(domid);
        if (found !== name + round) throw new Error(found);
        await libxl.destroyDomain(domid);
      }
      await libxl.close();
      parentPort.postMessage('done');`,
    ),
  );
  await Promise.all(
    workers.map(async (worker) => {
      // It may come right behind the message.
      const exit = once(worker, 'exit');
      t.strictSame(await once(worker, 'message'), ['done']);
      t.strictSame(await exit, [0]);
    }),
  );
  const libxl = await Libxl.open();
  t.equal((await libxl.listDomains()).length, 1);
  await libxl.close();
});

t.test('a worker thread that is ended in the middle of a create harms no other', async (t) => {
  const libxl = await Libxl.open();
  const worker = startWorker(
    'ended',
    `libxl.createDomain(grubConfig('pvh', name)); parentPort.postMessage('creating');`,
  );
  await once(worker, 'message');
  await worker.terminate();
  const domid = await libxl.createDomain(grubConfig('pvh', 'kept'));
  t.equal(await libxl.findDomain('kept'), domid);
  // What libxl had begun it goes on with; nobody is told of its end.
  while ((await libxl.findDomain('ended')) === undefined);
  while ((await libxl.listDomains()).length > 1) {
    await destroyAll(libxl).catch(() => undefined);
  }
  await libxl.close();
});

t.test('events reach all threads with the same numbers', async (t) => {
  const libxl = await Libxl.open();
  const after = await libxl.eventPosition();
  const worker = startWorker(
    'listener',
    `const events = libxl.events({ after: ${after} });
    parentPort.postMessage('listening');
    parentPort.postMessage((await events.next()).value);
    await events.return();
    await libxl.close();`,
  );
  await once(worker, 'message');
  const told = once(worker, 'message');
  const domid = await libxl.createDomain(grubConfig('pvh', 'seen'));
  await libxl.destroyDomain(domid);
  const events = libxl.events({ after });
  const { value } = await events.next();
  t.strictSame(await told, [value]);
  await events.return?.();
  await once(worker, 'exit');
  await libxl.close();
});

t.test('the event loop goes on while libxl works', async (t) => {
  const libxl = await Libxl.open();
  let turns = 0;
  let created = false;
  const creating = libxl.createDomain(grubConfig('pv', 'slow')).then((domid) => {
    created = true;
    return domid;
  });
  // A loop that waited in libxl would make its first turn once the domain is there.
  while (!created) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += created ? 0 : 1;
  }
  t.ok(turns > 10, `${turns} turns before it was created`);
  await libxl.destroyDomain(await creating);
  await libxl.close();
});

t.test("Node's own children are Node's to wait for", async (t) => {
  const libxl = await Libxl.open();
  const children = Array.from({ length: 5 }, (_, code) =>
    once(spawn('sh', ['-c', `exit ${code}`]), 'exit'),
  );
  const domid = await libxl.createDomain(grubConfig('pvh', 'parent'));
  await libxl.destroyDomain(domid);
  t.strictSame(
    (await Promise.all(children)).map(([code]) => code),
    [0, 1, 2, 3, 4],
  );
  await libxl.close();
});

t.test('the context comes back after the last share was given back', async (t) => {
  for (let round = 0; round < 3; round++) {
    const [one, two] = [await Libxl.open(), await Libxl.open()];
    await one.close();
    await one.close();
    t.equal((await two.listDomains()).length, 1);
    const last = two.listDomains();
    await two.close();
    t.equal((await last).length, 1, 'what was under way is waited for');
    await t.rejects(two.listDomains(), { code: 'INVALID_ARGUMENT' });
  }
});
