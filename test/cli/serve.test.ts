/** `hatchery serve`: from its start to its stop. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { defaultDriver, defaultStrategy, noDriver } from '../drivers/default-driver.js';
import { hatchery, MAIN, runToEnd, Served } from './command.js';
import { ECHO, NO_SYNTAX, says } from './functions.js';

t.test('serve', { skip: noDriver }, async (t) => {
  const folder = t.testdir({
    'Hello World.ts': says('hello'),
    'echo.ts': ECHO,
    'syntax.ts': NO_SYNTAX,
    'slow-start.ts': `
      const end = Date.now() + 600;
      while (Date.now() < end) {}
      export default { fetch: () => new Response('ready') };`,
    'slow.ts': `
      export default {
        fetch(request: Request) {
          const end = Date.now() + Number(new URL(request.url).searchParams.get('ms') ?? 400);
          while (Date.now() < end) {}
          return new Response('late');
        },
      };`,
  });

  t.test('says where, how and why', async (t) => {
    const served = new Served([`${folder}/Hello World.ts`, '--self-test', '50']);
    const listening = await served.next('listening');
    t.match(listening, {
      function: 'hello-world',
      driver: defaultDriver,
      strategy: defaultStrategy,
      why: { driver: /the first that works here/, strategy: /fastest/ },
    });
    const response = await fetch(listening.url as string);
    t.equal(await response.text(), 'hello');
    t.match(response.headers.get('server-timing'), /guest;dur=/);
    const selfTest = await served.next('self-test');
    t.match(selfTest, { requests: 50, p50: Number, p99: Number, failed: 0 });
    t.ok(Number(selfTest.p50) > 0 && Number(selfTest.p50) <= Number(selfTest.p99));
    const { code, stdout } = await served.stop();
    t.equal(code, 0);
    t.match(stdout, '"stopped"');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    t.test(`${signal} lets a request finish, then ends with code 0`, async (t) => {
      const served = new Served([`${folder}/slow.ts`]);
      const answer = fetch(await served.url()).then((response) => response.text());
      await sleep(100);
      const start = performance.now();
      const [text, { code }] = await Promise.all([answer, served.stop(signal)]);
      t.equal(text, 'late');
      t.equal(code, 0);
      t.ok(performance.now() - start < 3_000, 'and does not wait for the idle connection');
    });
  }

  t.test('a signal during the start ends it with code 0', async (t) => {
    const served = new Served([`${folder}/slow-start.ts`]);
    await served.hasChildren();
    const { code, stdout } = await served.stop('SIGINT');
    t.equal(code, 0);
    t.notMatch(stdout, 'listening');
  });

  t.test('an echo of the signal is taken for one, a second signal is not', async (t) => {
    const served = new Served([`${folder}/slow.ts`, '--wall-ms', '60000']);
    const url = await served.url();
    const answer = fetch(`${url}/?ms=3000`).then(
      (response) => response.status,
      () => 'cut off',
    );
    await sleep(100);
    served.kill('SIGINT');
    served.kill('SIGINT');
    await sleep(800);
    const { code } = await served.stop('SIGINT');
    t.equal(await answer, 'cut off');
    t.equal(code, null, 'ended by the signal');
  });

  t.test('options reach the function', async (t) => {
    const served = new Served([
      `${folder}/echo.ts`,
      ...['--env', 'A=1', '--memory', '32MiB', '--wall-ms', '5000', '--strategy', 'clone'],
    ]);
    const listening = await served.next('listening');
    t.match(listening, { strategy: 'clone', why: { strategy: 'asked for' } });
    const response = await fetch(`${listening.url}/x`, { method: 'PUT', body: 'b' });
    t.match(await response.json(), { method: 'PUT', body: 'b', env: { A: '1' } });
    t.equal((await served.stop()).code, 0);
  });

  t.test('an image instead of a script', async (t) => {
    const image = fileURLToPath(new URL('../../images/hello.elf', import.meta.url));
    const served = new Served([image]);
    const response = await fetch(await served.url());
    t.equal(response.status, 200);
    t.equal((await served.stop()).code, 0);
  });

  t.test('a port that is in use: code 5', async (t) => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const { code, stderr } = await hatchery(['serve', `${folder}/echo.ts`, '--port', `${port}`]);
    t.equal(code, 5);
    t.match(stderr, `${port}`);
    t.match(stderr, '[PORT_IN_USE]');
    await new Promise((resolve) => holder.close(resolve));
  });

  t.test('an address that is not of this machine: code 2', async (t) => {
    const { code, stderr } = await hatchery([
      ...['serve', `${folder}/echo.ts`, '--port', '0', '--host', '192.0.2.1'],
    ]);
    t.equal(code, 2);
    t.match(stderr, '192.0.2.1');
  });

  t.test('a function that cannot be deployed: code 4', async (t) => {
    const { code, stderr } = await hatchery(['serve', `${folder}/syntax.ts`, '--port', '0']);
    t.equal(code, 4);
    t.match(stderr, /syntax\.ts:2/);
  });

  t.test('for people: the URL on standard output, no colours into a pipe', async (t) => {
    const command = `exec 3< <(exec "${MAIN}" serve "${folder}/echo.ts" --port 0); child=$!
      read -r first <&3; kill -INT $child; echo "$first"; cat <&3; wait $child`;
    const { code, stdout, stderr } = await runToEnd(['bash', '-c', command]);
    t.equal(code, 0);
    t.match(stdout, /^Serving echo at http:\/\/127\.0\.0\.1:\d+\n/);
    t.match(stdout, new RegExp(`driver +${defaultDriver}: `));
    t.match(stdout, new RegExp(`strategy +${defaultStrategy}: `));
    t.match(stdout, /Stopped\.\n$/);
    t.notMatch(stdout + stderr, '\u001b');
  });
});
