/** Workers that die or hang: who notices it, what they are told, and how soon all is well again. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { withinHere } from '../machine-speed.js';
import { startSupervisor, until, Wire } from './functions.js';

/** The sanitizers make everything slower. */
const BACK_MILLISECONDS = process.env.ASAN_OPTIONS === undefined ? 1_000 : 5_000;
const QUICK = { checkMilliseconds: 100, missedBeats: 8 };

t.test('workers', { skip: noDriver }, async (t) => {
  t.test('a worker is killed: what each of its clients sees', async (t) => {
    const { supervisor, url, lines } = await startSupervisor('hello', { workers: 1 });
    t.teardown(() => supervisor.close());
    const [idle, waiting, streaming, pipelining, partial, quiet] = (await Promise.all(
      Array.from({ length: 6 }, () => new Wire(url).open()),
    )) as [Wire, Wire, Wire, Wire, Wire, Wire];
    idle.send('/');
    await idle.sees('hello');
    waiting.send('/wait?ms=5000');
    streaming.send('/stream?ms=5000');
    await streaming.sees('begun ');
    pipelining.send('/').send('/wait?ms=5000');
    await pipelining.sees('hello');
    partial.write('GET / HTTP/1.1\r\nHo');
    await new Promise((resolve) => setTimeout(resolve, 100));

    const [victim] = supervisor.workers as [number];
    process.kill(victim, 'SIGKILL');
    t.equal(await waiting.ended, 'end');
    t.match(waiting.received, /^HTTP\/1.1 502 Bad Gateway\r\n/);
    t.match(waiting.received, '"code":"WORKER_DIED"');
    t.match(waiting.received, 'Connection: close');
    t.equal(await pipelining.ended, 'end');
    t.match(pipelining.received, /^HTTP\/1.1 200 OK.*hello.*HTTP\/1.1 502 Bad Gateway/s);
    t.equal(await partial.ended, 'end');
    t.match(partial.received, 'WORKER_DIED', 'half a request was one');
    t.equal(await streaming.ended, 'reset', 'half a response is no whole one');
    t.notMatch(streaming.received, 'WORKER_DIED');
    t.equal(await idle.ended, 'end');
    t.notMatch(idle.received, '502', 'who waited for nothing is told nothing');

    quiet.send('/');
    await quiet.sees('hello');
    t.pass('a connection on which nothing had come is served by the next worker');
    quiet.close();
    t.match(
      lines.find((line) => line.error === 'WORKER_DIED'),
      { worker: victim, signal: 'SIGKILL', failed: 3, cut: 1 },
    );
  });

  t.test('under load: only its requests fail, and it is back within a second', async (t) => {
    const { supervisor, url, lines } = await startSupervisor('hello');
    t.teardown(() => supervisor.close());
    const outcomes = new Map<string, number>();
    let running = true;
    const client = async () => {
      while (running) {
        const outcome = await fetch(url).then(
          async (response) => `${response.status} ${(await response.text()).slice(0, 21)}`,
          (error) => `${error.cause?.code ?? error}`,
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = supervisor.workers;
    process.kill(before[0] as number, 'SIGKILL');
    await until(() => supervisor.workers.length === 1);
    const back = await until(() => supervisor.workers.length === 2);
    const limit = withinHere(BACK_MILLISECONDS);
    t.ok(back < limit, `back after ${back.toFixed(0)} ms of ${limit.toFixed(0)}`);
    t.ok(supervisor.workers.includes(before[1] as number), 'the other one serves on');
    await new Promise((resolve) => setTimeout(resolve, 300));
    running = false;
    await Promise.all(clients);
    const died = lines.find((line) => line.error === 'WORKER_DIED') as unknown as {
      failed: number;
      cut: number;
    };
    const failures = [...outcomes].filter(([outcome]) => outcome !== '200 hello');
    const count = failures.reduce((sum, [, times]) => sum + times, 0);
    t.ok(count <= 8, JSON.stringify([...outcomes]));
    t.ok((outcomes.get('200 hello') ?? 0) > 100);
    t.equal(died.cut, 0);
  });

  t.test('a worker that hangs is replaced', async (t) => {
    const { supervisor, url, lines } = await startSupervisor('hello', {
      workers: 1,
      limits: QUICK,
    });
    t.teardown(() => supervisor.close());
    const [victim] = supervisor.workers as [number];
    process.kill(victim, 'SIGSTOP');
    const wire = (await new Wire(url).open()).send('/');
    await wire.sees('hello');
    wire.close();
    t.not(supervisor.workers[0], victim);
    t.match(
      lines.find((line) => line.error === 'WORKER_DIED'),
      { worker: victim, reason: /has not moved/ },
    );
  });

  t.test('a crash loop slows down, says so, and ends when it ends', async (t) => {
    const { supervisor, url, lines } = await startSupervisor('hello', { workers: 1 });
    t.teardown(() => supervisor.close());
    for (let death = 0; death < 4; death += 1) {
      await until(() => supervisor.workers.length === 1);
      process.kill(supervisor.workers[0] as number, 'SIGKILL');
      await until(() => supervisor.workers.length === 0);
    }
    t.equal(await (await fetch(url)).text(), 'hello', 'meanwhile requests wait');
    const deaths = lines.filter((line) => line.error === 'WORKER_DIED');
    t.same(
      deaths.map(({ inARow, retryIn }) => [inARow, retryIn]),
      [
        [1, 0],
        [2, 100],
        [3, 200],
        [4, 400],
      ],
    );
    t.match(deaths.at(-1)?.msg, /not at once/);
  });

  t.test('a worker as it serves has no rights left', async (t) => {
    const { supervisor, url } = await startSupervisor('hello', { workers: 1 });
    t.teardown(() => supervisor.close());
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/wait?ms=50`)));
    const [worker] = supervisor.workers as [number];
    const [, , , session, terminal] = (
      readFileSync(`/proc/${worker}/stat`, 'latin1').split(') ')[1] ?? ''
    ).split(' ');
    t.equal(session, String(worker), 'a session of its own');
    t.equal(terminal, '0', 'no terminal');
    const threads = readdirSync(`/proc/${worker}/task`);
    t.ok(threads.length > 8, 'with threads that came after the lock-down');
    for (const thread of threads) {
      const status = readFileSync(`/proc/${worker}/task/${thread}/status`, 'utf8');
      t.match(status, /^NoNewPrivs:\t1$/m);
      t.match(status, /^Seccomp:\t2$/m);
      t.match(status, /^CapPrm:\t0+$/m);
      if (process.getuid?.() === 0) {
        t.match(status, /^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/m);
        t.match(status, /^CapBnd:\t0+$/m);
      }
    }
  });

  t.test('a deployment that fails in the workers leaves the old version in all', async (t) => {
    const { supervisor, url } = await startSupervisor('one');
    t.teardown(() => supervisor.close());
    const source = `throw new Error('too early'); export default { fetch() {} };`;
    await t.rejects(supervisor.deploy({ name: 'app', source }), { code: 'STARTUP_FAILED' });
    const texts = await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(url)).text()),
    );
    t.same(new Set(texts), new Set(['one']));
  });

  t.test('a replacement serves what was deployed last', async (t) => {
    const { supervisor, url } = await startSupervisor('one', { workers: 1 });
    t.teardown(() => supervisor.close());
    await supervisor.deploy({
      name: 'app',
      source: `export default { fetch: () => new Response('two') };`,
    });
    process.kill(supervisor.workers[0] as number, 'SIGKILL');
    await until(() => supervisor.workers.length === 0);
    t.equal(await (await fetch(url)).text(), 'two');
  });
});
