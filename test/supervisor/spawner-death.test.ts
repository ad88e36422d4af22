/** The program that makes a worker's guests is killed: the worker cannot start another, a new one can. */
import t from 'tap';
import { processesMissing, spawnersOf } from '../drivers/processes.js';
import { startSupervisor, until, Wire } from './functions.js';

t.test('a worker whose spawner is killed', { skip: processesMissing() }, async (t) => {
  const { supervisor, url, lines } = await startSupervisor('hello', {
    workers: 1,
    driver: 'process',
  });
  t.teardown(() => supervisor.close());
  for (const which of [0, 1]) {
    const wire = await new Wire(url).open();
    wire.send('/wait?ms=5000');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [worker] = supervisor.workers as [number];
    process.kill(spawnersOf(worker)[which] as number, 'SIGKILL');
    t.equal(await wire.ended, 'end');
    t.match(wire.received, /^HTTP\/1.1 502 Bad Gateway\r\n/);
    t.match(wire.received, /"code":"(WORKER|SPAWNER)_DIED"/);
    await until(() => supervisor.workers.length === 1 && supervisor.workers[0] !== worker, 10_000);
    t.equal(await (await fetch(url)).text(), 'hello', 'the next request is answered');
  }
  t.match(
    lines.find((line) => line.error === 'WORKER_DIED'),
    { failed: Number },
  );
});
