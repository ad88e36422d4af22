/** An installation below a folder that only root may enter: workers, who are not root, serve from it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { noDriver } from '../drivers/default-driver.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const skip = noDriver || (process.getuid?.() !== 0 && 'needs root, to mount a folder');

t.test('all that a worker loads, it loads before it gives its rights up', { skip }, async (t) => {
  // Not below the project's own, where its modules would be found.
  const closed = await mkdtemp(join(tmpdir(), 'hatchery-closed-'));
  t.teardown(() => rm(closed, { recursive: true }));
  await mkdir(`${closed}/installed`);
  const folder = t.testdir({
    'app.ts': `export default { async fetch(request, env) {
      if (request.method === 'POST') return new Response(await request.text());
      return fetch(env.THERE);
    } };`,
  });
  const there = createServer((_, response) => response.end('fetched')).listen(0, '127.0.0.1');
  await once(there, 'listening');
  t.teardown(() => there.close());
  const host = `127.0.0.1:${(there.address() as AddressInfo).port}`;
  const serve = [
    `${closed}/installed/dist/src/cli/main.js`,
    ...['serve', `${folder}/app.ts`, '--port', '0', '--json', '--allow-fetch', host],
    ...['--env', `THERE=http://${host}/`],
  ];
  // mkdtemp lets nobody but its owner in. The mount is seen by this process and its children only.
  const script = `mount --bind "${ROOT}" "${closed}/installed" && exec "$0" "$@"`;
  const child = spawn('unshare', ['--mount', 'bash', '-c', script, process.execPath, ...serve], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { url?: string };
    t.ok(url, line);
    if (url === undefined) {
      break;
    }
    t.equal(await (await fetch(url)).text(), 'fetched');
    const echoed = await fetch(url, { method: 'POST', body: 'echoed' });
    t.equal(await echoed.text(), 'echoed');
    const refused = await fetch(url, { method: 'POST', body: 'x'.repeat(5 << 20) });
    t.match(await refused.json(), { code: 'REQUEST_BODY_TOO_LARGE' });
    break;
  }
  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null]);
});
