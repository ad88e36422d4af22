/** Deployments reach all workers at once, and connections come and go without a trace. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';
import { startSupervisor, until, Wire } from './functions.js';

const says = (text: string) => `export default { fetch: () => new Response('${text}') };`;

t.test('workers', { skip: noDriver }, async (t) => {
  t.test('redeploy together, under load, without a failed request', async (t) => {
    const { supervisor, url, lines } = await startSupervisor('version 0');
    t.teardown(() => supervisor.close());
    let running = true;
    const seen = new Map<string, number>();
    const client = async () => {
      while (running) {
        const response = await fetch(url);
        const answer = `${response.status} ${await response.text()}`;
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 6 }, client);
    for (let version = 1; version <= 4; version += 1) {
      await supervisor.deploy({ name: 'app', source: says(`version ${version}`) });
      const texts = await Promise.all(
        Array.from({ length: 6 }, async () => (await fetch(url)).text()),
      );
      t.same(new Set(texts), new Set([`version ${version}`]), 'all workers have it');
    }
    await t.rejects(supervisor.deploy({ name: 'app', source: 'export default {' }), {
      code: 'BUNDLE_FAILED',
    });
    running = false;
    await Promise.all(clients);
    t.same(
      [...seen.keys()].filter((answer) => !/^200 version [0-4]$/.test(answer)),
      [],
    );
    t.equal(supervisor.workers.length, 2);
    t.same(lines, [], 'and nothing was to be said');
  });

  t.test('a worker that dies while a version is staged: the old one stays', async (t) => {
    const { supervisor, url } = await startSupervisor('old');
    t.teardown(() => supervisor.close());
    const source = `
      const end = Date.now() + 800;
      while (Date.now() < end) {}
      ${says('new')}`;
    const deploying = supervisor.deploy({ name: 'app', source });
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(supervisor.workers[0] as number, 'SIGKILL');
    await t.rejects(deploying, { code: 'WORKER_DIED' });
    await until(() => supervisor.workers.length === 2);
    const texts = await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(url)).text()),
    );
    t.same(new Set(texts), new Set(['old']));
  });

  t.test('the supervisor lets go of connections that are over', async (t) => {
    const { supervisor, url } = await startSupervisor('hello', { workers: 1 });
    t.teardown(() => supervisor.close());
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    for (let round = 0; round < 5; round += 1) {
      const wires = await Promise.all(Array.from({ length: 40 }, () => new Wire(url).open()));
      t.ok(descriptors() >= before + 40);
      await Promise.all(wires.map((wire) => wire.send('/').sees('hello')));
      for (const wire of wires) wire.close();
    }
    await until(() => descriptors() <= before);
    const wire = await new Wire(url).open();
    wire.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    t.equal(await wire.ended, 'end', 'where the worker closes it, the client sees that');
    wire.close();
    await until(() => descriptors() <= before);
  });
});
