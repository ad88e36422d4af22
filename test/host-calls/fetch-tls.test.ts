/** TLS: whom the host trusts, and that nothing turns that off. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { CERTIFICATE, PRIVATE_KEY } from './certificate.js';
import { get, outboundFetch, pause, tcpServer, textOf } from './fetching.js';

const lookup = async () => [{ address: '127.0.0.1', family: 4 }];

async function secureServer(
  t: Test,
): Promise<{ port: number; server: Server; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (request, response) => {
    requests.push(String(request.headers.host));
    response.end('secure');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, requests };
}

t.test('a server whose certificate is trusted and bears its name', async (t) => {
  const { port, server } = await secureServer(t);
  let connections = 0;
  server.on('secureConnection', () => {
    connections += 1;
  });
  const allow = [`secure.test:${port}`, `127.0.0.1:${port}`];
  const fetch = outboundFetch(t, { allow, lookup, ca: CERTIFICATE });
  for (const host of ['secure.test', '127.0.0.1', 'secure.test']) {
    t.equal(await textOf(await get(fetch, `https://${host}:${port}/`)), 'secure', host);
    await pause();
  }
  t.equal(connections, 2, 'one for each host');
});

t.test('one that is not', async (t) => {
  const { port, requests } = await secureServer(t);
  const allow = [`secure.test:${port}`, `other.test:${port}`, `127.0.0.1:${port}`];
  const reason = /certificate is not to be trusted/;
  const untrusting = outboundFetch(t, { allow, lookup });
  const failure = { code: 'FETCH_FAILED', details: { reason } };
  await t.rejects(get(untrusting, `https://secure.test:${port}/`), failure, 'signed by itself');
  const trusting = outboundFetch(t, { allow, lookup, ca: CERTIFICATE });
  await t.rejects(get(trusting, `https://other.test:${port}/`), failure, 'of another name');
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.teardown(() => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  });
  await t.rejects(
    get(untrusting, `https://secure.test:${port}/`),
    failure,
    'whatever the environment says',
  );
  t.strictSame(requests, [], 'none was sent');
});

t.test('a server that does not speak TLS', async (t) => {
  const port = await tcpServer(t, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  const fetch = outboundFetch(t, { allow: [`secure.test:${port}`, `127.0.0.1:${port}`], lookup });
  await t.rejects(get(fetch, `https://secure.test:${port}/`), { code: 'FETCH_FAILED' });
});

t.test('a private address is out of reach by TLS as well', async (t) => {
  const { port, requests } = await secureServer(t);
  const fetch = outboundFetch(t, {
    allow: ['*.test:443', `*.test:${port}`],
    lookup,
    ca: CERTIFICATE,
  });
  await t.rejects(get(fetch, `https://secure.test:${port}/`), { code: 'FETCH_DENIED' });
  t.strictSame(requests, []);
});
