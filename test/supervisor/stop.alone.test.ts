/** `hatchery serve` comes to its end: drained, told twice, or killed. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Served } from '../cli/command.js';
import { noDriver } from '../drivers/default-driver.js';
import { isAlive, slowly, until, Wire } from './functions.js';

t.test('the end', { skip: noDriver }, async (t) => {
  const folder = t.testdir({ 'app.ts': slowly('hello') });
  const start = async (...options: string[]) => {
    const served = new Served([`${folder}/app.ts`, '--workers', '2', ...options]);
    const listening = await served.next('listening');
    return { served, url: listening.url as string, workers: listening.workers as number[] };
  };

  t.test('SIGTERM: streams and slow requests finish, new ones get 503, code 0', async (t) => {
    const { served, url, workers } = await start();
    t.equal(workers.length, 2);
    const streaming = (await new Wire(url).open()).send('/stream?ms=800');
    await streaming.sees('begun ');
    const slow = fetch(`${url}/wait?ms=800`);
    const kept = (await new Wire(url).open()).send('/');
    await kept.sees('hello');
    await sleep(100);
    const ended = served.stop('SIGTERM');
    await sleep(100);
    const late = await fetch(url);
    t.equal(late.status, 503);
    t.match(await late.json(), { code: 'DRAINING' });
    kept.send('/');
    await kept.ended;
    t.match(kept.received, 'DRAINING', 'on a connection that was open before, too');
    t.equal(await (await slow).text(), 'hello');
    await streaming.ended;
    t.match(streaming.received, 'ended');
    const { code, stdout, stderr } = await ended;
    t.equal(code, 0);
    t.match(stdout, '"stopped"');
    t.equal(stderr, '', 'and nothing to complain about');
    t.notOk(workers.some(isAlive));
    await t.rejects(fetch(url), 'nobody listens any more');
  });

  t.test('a signal to all processes of a terminal is one to the supervisor', async (t) => {
    const { served, url, workers } = await start();
    const slow = fetch(`${url}/wait?ms=500`);
    await sleep(100);
    for (const worker of workers) {
      process.kill(worker, 'SIGINT');
    }
    const { code } = await served.stop('SIGINT');
    t.equal(await (await slow).text(), 'hello');
    t.equal(code, 0);
  });

  t.test('a second signal ends everything at once', async (t) => {
    const { served, url, workers } = await start();
    const slow = fetch(`${url}/wait?ms=9000`).then(
      () => 'answered',
      () => 'cut off',
    );
    await sleep(100);
    served.kill('SIGTERM');
    await sleep(700);
    const { code } = await served.stop('SIGTERM');
    t.equal(code, null);
    t.equal(await slow, 'cut off');
    await until(() => !workers.some(isAlive), 1_000);
  });

  t.test('kill -9 of the supervisor leaves nothing behind', async (t) => {
    const { served, url, workers } = await start();
    const slow = fetch(`${url}/wait?ms=9000`).then(
      () => 'answered',
      () => 'cut off',
    );
    await sleep(100);
    await served.stop('SIGKILL');
    await until(() => !workers.some(isAlive), 1_000);
    t.equal(await slow, 'cut off');
    const port = Number(new URL(url).port);
    const next = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve, reject) => next.on('listening', resolve).on('error', reject));
    t.pass('the port is free');
    next.close();
  });

  t.test('even where a worker cannot notice it', async () => {
    const { served, workers } = await start();
    for (const worker of workers) {
      process.kill(worker, 'SIGSTOP');
    }
    await served.stop('SIGKILL');
    await until(() => !workers.some(isAlive), 1_000);
  });

  t.test('the environment of the supervisor stays there', async (t) => {
    const served = new Served([`${folder}/app.ts`, '--workers', '1'], { TOKEN: 'secret-42' });
    const { workers, url } = await served.next('listening');
    const { readFileSync } = await import('node:fs');
    const [worker] = workers as number[];
    for (const file of ['environ', 'cmdline']) {
      try {
        t.notMatch(readFileSync(`/proc/${worker}/${file}`, 'latin1'), 'secret-42', file);
      } catch (error) {
        t.match(error, { code: 'EACCES' }, 'nobody but root may look');
      }
    }
    t.equal((await fetch(url as string)).status, 200);
    t.equal((await served.stop()).code, 0);
  });

  t.test('without workers', async (t) => {
    const served = new Served([`${folder}/app.ts`, '--workers', '0']);
    const { workers, url } = await served.next('listening');
    t.same(workers, []);
    t.equal(await (await fetch(url as string)).text(), 'hello');
    t.equal((await served.stop()).code, 0);
  });

  t.test('more connections than allowed are closed at once', async (t) => {
    const { served, url } = await start('--max-connections', '2');
    const wires = [await new Wire(url).open(), await new Wire(url).open()];
    for (const wire of wires) {
      await wire.send('/').sees('hello');
    }
    const third = await new Wire(url).open();
    t.ok(await third.ended);
    wires[0]?.close();
    await sleep(100);
    const again = await new Wire(url).open();
    await again.send('/').sees('hello');
    for (const wire of [...wires, again]) wire.close();
    t.equal((await served.stop()).code, 0);
  });

  t.test('a user that is none: code 2', { skip: process.getuid?.() !== 0 }, async (t) => {
    for (const user of ['root', 'no-such-user']) {
      const served = new Served([`${folder}/app.ts`, '--worker-user', user]);
      t.match(await served.next('error'), { error: { code: 'INVALID_ARGUMENT' } });
      t.equal((await served.end).code, 2);
    }
  });

  t.test('without the addon: code 3, unless asked for one process', async (t) => {
    const missing = { HATCHERY_ADDONS: '/nonexistent' };
    const served = new Served([`${folder}/app.ts`], missing);
    t.match(await served.next('error'), {
      error: { code: 'ADDON_MISSING', message: /hatchery_process.*build:addon/ },
    });
    t.equal((await served.end).code, 3);
  });
});
