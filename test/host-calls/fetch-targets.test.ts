/** Attempts to reach what is not listed: by name, by address, by DNS, by redirect. */
import t from 'tap';
import type { Lookup } from '../../src/fabric/host-calls/name-lookup.js';
import { collectingLogger } from '../fabric/collecting-logger.js';
import {
  ERROR,
  get,
  httpServer,
  MANUAL,
  outboundFetch,
  pause,
  tcpServer,
  textOf,
} from './fetching.js';

const denied = { code: 'FETCH_DENIED' };

/** What names resolve to, for as long as there is an answer; then the last one. */
function dns(names: Readonly<Record<string, readonly string[][]>>): Lookup & { asked: string[] } {
  const asked: string[] = [];
  const lookup = async (name: string) => {
    asked.push(name);
    const answers = names[name];
    if (answers === undefined) {
      throw Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
    }
    const times = asked.filter((other) => other === name).length;
    const addresses = answers[Math.min(times, answers.length) - 1] as string[];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return Object.assign(lookup, { asked });
}

t.test('a server on loopback is out of reach', async (t) => {
  let connections = 0;
  const port = await tcpServer(t, () => {
    connections += 1;
  });
  const lookup = dns({
    'evil.test': [['127.0.0.1']],
    'mapped.test': [['::ffff:127.0.0.1']],
    'mixed.test': [['1.1.1.1', '127.0.0.1']],
    'six.test': [['::1']],
    'zone.test': [['fe80::1%lo']],
    'nat64.test': [['64:ff9b::7f00:1']],
    'zero.test': [['0.0.0.0']],
    'metadata.test': [['169.254.169.254']],
    'private.test': [['10.0.0.1']],
    localhost: [['127.0.0.1']],
  });
  const names = ['evil', 'mapped', 'mixed', 'six', 'zone', 'nat64', 'zero', 'metadata', 'private'];
  const { logger, lines } = collectingLogger();
  const allow = [`*.test:${port}`, `public.example:${port}`];
  const fetch = outboundFetch(t, { allow, lookup, logger });
  for (const name of names) {
    await t.rejects(
      get(fetch, `http://${name}.test:${port}/`),
      { ...denied, details: { target: `${name}.test:${port}`, reason: /public/ } },
      name,
    );
  }
  t.match(lines.at(-1), {
    msg: 'fetch denied',
    function: 'f',
    requestId: 'r1',
    address: '10.0.0.1',
  });
  for (const host of [
    '127.0.0.1',
    'localhost',
    'LOCALHOST.',
    '2130706433',
    '0x7f.1',
    '017700000001',
    '127.1',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    'evil.test@127.0.0.1'.slice('evil.test@'.length),
  ]) {
    await t.rejects(
      get(fetch, `http://${host}:${port}/`),
      { ...denied, details: { reason: /list/ } },
      host,
    );
  }
  t.equal(connections, 0);
});

t.test('the guest does not learn what a name resolves to', async (t) => {
  const fetch = outboundFetch(t, { allow: ['a.test'], lookup: dns({ 'a.test': [['10.9.8.7']] }) });
  const error = await get(fetch, 'http://a.test/').catch((thrown) => thrown);
  t.notMatch(error.message, /10\.9/);
  t.notMatch(JSON.stringify(error.details), /10\.9/);
});

t.test('DNS rebinding: what was checked is what is connected to', async (t) => {
  let requests = 0;
  const port = await httpServer(t, (_, response) => {
    requests += 1;
    response.end('secret');
  });
  // Listed is 127.0.0.1 with the port, as the public address stands for one that is allowed.
  const lookup = dns({
    'rebind.test': [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1'], ['10.0.0.1', '127.0.0.1']],
  });
  const allow = [`rebind.test:${port}`, `127.0.0.1:${port}`];
  const url = `http://rebind.test:${port}/`;
  const fetch = outboundFetch(t, { allow, lookup });
  const closing = { headers: ['x', 'y'] };
  t.equal(await textOf(await get(fetch, url, closing)), 'secret');
  t.strictSame(lookup.asked, ['rebind.test'], 'one lookup for one connection');
  await fetch.close();

  const second = outboundFetch(t, { allow, lookup });
  await t.rejects(get(second, url), denied);
  t.equal(await textOf(await get(second, url)), 'secret');
  await second.close();
  await t.rejects(
    get(outboundFetch(t, { allow, lookup }), url),
    denied,
    'one bad address is enough',
  );
  t.equal(requests, 2);
});

t.test('a listed name at a listed address, and localhost', async (t) => {
  const port = await httpServer(t, (request, response) => response.end(request.headers.host));
  const lookup = dns({ 'db.test': [['127.0.0.1']], localhost: [['127.0.0.1']] });
  const fetch = outboundFetch(t, { allow: [`db.test:${port}`, `127.0.0.0/8:${port}`], lookup });
  t.equal(await textOf(await get(fetch, `http://db.test:${port}/`)), `db.test:${port}`);
  const local = outboundFetch(t, { allow: [`localhost:${port}`], lookup });
  t.equal(await textOf(await get(local, `http://localhost:${port}/`)), `localhost:${port}`);
  await t.rejects(get(local, `http://127.0.0.1:${port}/`), denied);
});

t.test('each hop of a redirect is checked', async (t) => {
  let reached = 0;
  const inner = await tcpServer(t, () => {
    reached += 1;
  });
  let location = '';
  const port = await httpServer(t, (_, response) => {
    response.writeHead(302, { location }).end('elsewhere');
  });
  const lookup = dns({ 'evil.test': [['127.0.0.2']], 'other.test': [['127.0.0.1']] });
  const allow = [`127.0.0.1:${port}`, `evil.test:${inner}`];
  const fetch = outboundFetch(t, { allow, lookup });
  const url = `http://127.0.0.1:${port}/`;
  for (const to of [
    `http://127.0.0.1:${inner}/`,
    `http://other.test:${inner}/`,
    `http://evil.test:${inner}/`,
    `http://localhost:${inner}/`,
    `http://[::ffff:127.0.0.1]:${inner}/`,
    `http://[::1]:${inner}/`,
    `http://2130706433:${inner}/`,
    `http://0x7f000001:${inner}/`,
    `http://0:${inner}/`,
    `//127.0.0.1:${inner}/`,
    `\\\\127.0.0.1:${inner}\\`,
    `https://127.0.0.1:${inner}/`,
    'http://169.254.169.254/latest/meta-data/',
  ]) {
    location = to;
    await t.rejects(get(fetch, url), denied, to);
  }
  for (const to of [
    'file:///etc/passwd',
    'data:text/plain,x',
    'gopher://127.0.0.1/',
    `http://user:pw@127.0.0.1:${port}/`,
    'http://[',
  ]) {
    location = to;
    await t.rejects(get(fetch, url), { code: 'FETCH_FAILED' }, to);
  }
  t.equal(reached, 0);

  location = `http://127.0.0.1:${inner}/`;
  const manual = await get(fetch, url, { redirect: MANUAL });
  t.equal(manual.status, 302);
  t.equal(manual.headers.location, location);
  t.equal(await textOf(manual), 'elsewhere');
  await t.rejects(get(fetch, url, { redirect: ERROR }), { code: 'FETCH_FAILED' });
  t.equal(reached, 0);
});

t.test('slow name servers hold up one lookup of a function, and two of the process', async (t) => {
  let underWay = 0;
  let most = 0;
  const lookup: Lookup = async () => {
    underWay += 1;
    most = Math.max(most, underWay);
    await pause(30);
    underWay -= 1;
    return [{ address: '10.0.0.1', family: 4 }];
  };
  const functions = [1, 2, 3, 4].map(() => outboundFetch(t, { allow: ['*.test'], lookup }));
  await Promise.all(
    functions.flatMap((fetch) =>
      ['a', 'b', 'c', 'c', 'c'].map((name) =>
        t.rejects(get(fetch, `http://${name}.test/`), denied),
      ),
    ),
  );
  t.equal(most, 2);
  most = 0;
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      t.rejects(get(functions[0] as (typeof functions)[0], `http://${name}.test/`), denied),
    ),
  );
  t.equal(most, 1);
});
