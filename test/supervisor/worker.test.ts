/** What functions can do is the same in a worker, behind its walls. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { Served } from '../cli/command.js';
import { noDriver } from '../drivers/default-driver.js';

const FUNCTION = `
export default {
  async fetch(request: Request, env: Record<string, string>) {
    const url = new URL(request.url);
    if (url.pathname === '/throw') {
      throw new RangeError('too far');
    }
    if (url.pathname === '/log') {
      console.log('said by a guest');
    }
    if (url.pathname === '/fetch') {
      const target = url.searchParams.get('target') as string;
      try {
        return new Response(await (await fetch(target)).text());
      } catch (error) {
        return new Response(String((error as { code?: string }).code), { status: 500 });
      }
    }
    if (url.pathname === '/wait') {
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    if (url.pathname === '/forwarded') {
      return new Response(request.headers.get('x-forwarded-for'));
    }
    return Response.json(env);
  },
};`;

t.test('a worker', { skip: noDriver }, async (t) => {
  const folder = t.testdir({ 'app.ts': FUNCTION });

  t.test('fetches by name, logs, and maps traces', async (t) => {
    const target = createServer((_request, response) => response.end('fetched')).listen(0);
    t.teardown(() => target.close());
    await once(target, 'listening');
    const { port } = target.address() as AddressInfo;
    const served = new Served([
      ...[`${folder}/app.ts`, '--workers', '1', '--env', 'A=1', '--log-level', 'info'],
      ...['--allow-fetch', `localhost:${port}`, '--allow-fetch', `127.0.0.1:${port}`],
      ...['--allow-fetch', `[::1]:${port}`],
    ]);
    const listening = await served.next('listening');
    const url = listening.url as string;
    const fetched = await fetch(`${url}/fetch?target=http://localhost:${port}/`);
    t.equal(await fetched.text(), 'fetched');
    const denied = await fetch(`${url}/fetch?target=http://localhost:1/`);
    t.equal(await denied.text(), 'FETCH_DENIED');
    t.same(await (await fetch(url)).json(), { A: '1' });
    t.equal((await fetch(`${url}/throw`)).status, 500);
    await fetch(`${url}/log`);
    const { code, stderr } = await served.stop();
    t.equal(code, 0);
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const [worker] = listening.workers as number[];
    t.match(
      lines.find((line) => line.msg === 'said by a guest'),
      { pid: worker, function: 'app' },
    );
    t.match(stderr, /app\.ts:6:/, 'positions in the source, from where the command was given');
  });

  t.test('--concurrency and --queue hold for the whole server', async (t) => {
    const served = new Served([
      ...[`${folder}/app.ts`, '--workers', '1', '--concurrency', '1', '--queue', '1'],
    ]);
    const url = await served.url();
    const statuses = await Promise.all(
      Array.from({ length: 4 }, async () => (await fetch(`${url}/wait`)).status),
    );
    t.same(statuses.sort(), [200, 200, 503, 503]);
    t.equal((await served.stop()).code, 0);
  });

  t.test('--trust-proxy', async (t) => {
    const headers = { 'x-forwarded-for': '192.0.2.7' };
    for (const [options, expected] of [
      [[], '127.0.0.1'],
      [['--trust-proxy', '10.0.0.1', '--trust-proxy', '127.0.0.0/8'], /192\.0\.2\.7/],
    ] as const) {
      const served = new Served([`${folder}/app.ts`, '--workers', '1', ...options]);
      const url = await served.url();
      const response = await fetch(`${url}/forwarded`, { headers });
      t.match(await response.text(), expected);
      t.equal((await served.stop()).code, 0);
    }
    const wrong = new Served([`${folder}/app.ts`, '--workers', '1', '--trust-proxy', 'all']);
    t.match(await wrong.next('error'), { error: { code: 'INVALID_ARGUMENT' } });
    t.equal((await wrong.end).code, 2);
  });
});
