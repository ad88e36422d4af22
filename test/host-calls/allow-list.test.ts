/** Entries of allowFetch: what each lets through, and which are refused. */
import fc from 'fast-check';
import t from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { type Address, parseAddress } from '../../src/fabric/host-calls/addresses.js';
import { AllowList, targetOf } from '../../src/fabric/host-calls/allow-list.js';

const permits = (entries: string[], url: string) =>
  new AllowList(entries).permits(targetOf(new URL(url)));
const permitsAddress = (entries: string[], url: string, address: string) =>
  new AllowList(entries).permitsAddress(targetOf(new URL(url)), parseAddress(address) as Address);

t.test('nothing is allowed by nothing', async (t) => {
  t.notOk(permits([], 'http://example.com'));
  t.notOk(permits([], 'http://127.0.0.1'));
  t.notOk(permitsAddress([], 'http://example.com', '1.1.1.1'));
});

t.test('names', async (t) => {
  const cases: [entry: string, url: string, allowed: boolean][] = [
    ['api.example.com', 'https://api.example.com/x', true],
    ['api.example.com', 'http://API.Example.com./x', true],
    ['API.example.COM.', 'http://api.example.com', true],
    ['api.example.com', 'https://api.example.com:443', true],
    ['api.example.com', 'http://api.example.com:443', true],
    ['api.example.com', 'https://api.example.com:8443', false],
    ['api.example.com:8443', 'https://api.example.com:8443', true],
    ['api.example.com:8443', 'https://api.example.com', false],
    ['api.example.com', 'https://example.com', false],
    ['api.example.com', 'https://x.api.example.com', false],
    ['api.example.com', 'https://api.example.com.evil.test', false],
    ['api.example.com', 'https://evil-api.example.com', false],
    ['api.example.com', 'https://api.example.com@evil.test', false],
    ['*.example.com', 'https://a.example.com', true],
    ['*.example.com', 'https://a.b.c.example.com.', true],
    ['*.example.com:8080', 'http://a.example.com:8080', true],
    ['*.example.com', 'https://example.com', false],
    ['*.example.com', 'https://evilexample.com', false],
    ['*.example.com', 'https://a.example.com.evil.test', false],
    ['bücher.example', 'https://xn--bcher-kva.example', true],
    ['xn--bcher-kva.example', 'https://BÜCHER.example', true],
    ['*.bücher.example', 'https://a.bücher.example', true],
    ['localhost', 'http://localhost', true],
    ['localhost', 'http://localhost.', true],
    ['localhost', 'http://127.0.0.1', false],
    ['my_service', 'http://my_service/', true],
  ];
  for (const [entry, url, allowed] of cases) {
    t.equal(permits([entry], url), allowed, `${entry} and ${url}`);
  }
});

t.test('addresses in URLs, in each of their spellings', async (t) => {
  const cases: [entry: string, url: string, allowed: boolean][] = [
    ['127.0.0.1', 'http://127.0.0.1', true],
    ['127.0.0.1', 'http://2130706433', true],
    ['127.0.0.1', 'http://0x7f.1', true],
    ['127.0.0.1', 'http://127.1', true],
    ['127.0.0.1', 'http://0177.0.0.1.', true],
    ['127.0.0.1', 'http://[::ffff:127.0.0.1]', true],
    ['[::ffff:127.0.0.1]', 'http://127.0.0.1', true],
    ['127.0.0.1', 'http://127.0.0.2', false],
    ['127.0.0.1', 'http://127.0.0.1:8080', false],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080', true],
    ['127.0.0.0/8:8080', 'http://127.9.0.1:8080', true],
    ['10.0.0.0/8', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://11.1.2.3', false],
    ['10.0.0.0/8', 'http://[::ffff:10.1.2.3]', true],
    ['::1', 'http://[::1]', true],
    ['[::1]:8080', 'http://[::1]:8080', true],
    ['[::1]:8080', 'http://[::1]', false],
    ['fd00::/8', 'http://[fd12::1]', true],
    ['[fd00::/8]:99', 'http://[fd12::1]:99', true],
    ['1.1.1.1', 'http://1.1.1.1', true],
    ['example.com', 'http://1.1.1.1', false],
  ];
  for (const [entry, url, allowed] of cases) {
    t.equal(permits([entry], url), allowed, `${entry} and ${url}`);
    const { address } = targetOf(new URL(url));
    t.equal(permitsAddress([entry], url, (address as Address).text), allowed);
  }
});

t.test('addresses that names resolve to', async (t) => {
  const url = 'http://db.example.com';
  const cases: [entries: string[], url: string, address: string, allowed: boolean][] = [
    [['db.example.com'], url, '1.1.1.1', true],
    [['db.example.com'], url, '2606:4700::1111', true],
    [['db.example.com'], url, '10.0.0.1', false],
    [['db.example.com'], url, '127.0.0.1', false],
    [['db.example.com'], url, '::ffff:127.0.0.1', false],
    [['db.example.com'], url, '169.254.169.254', false],
    [['db.example.com', '10.0.0.1'], url, '10.0.0.1', true],
    [['db.example.com', '10.0.0.0/8'], url, '10.0.0.1', true],
    [['db.example.com', '10.0.0.0/8'], url, '::ffff:10.0.0.1', true],
    [['db.example.com', '10.0.0.1'], url, '10.0.0.2', false],
    [['10.0.0.0/8'], url, '10.0.0.1', false],
    [['1.1.1.1'], url, '1.1.1.1', false],
    [['db.example.com:5432', '10.0.0.1'], `${url}:5432`, '10.0.0.1', false],
    [['db.example.com:5432', '10.0.0.1:5432'], `${url}:5432`, '10.0.0.1', true],
    [['localhost'], 'http://localhost', '127.0.0.1', true],
    [['localhost'], 'http://localhost', '::1', true],
    [['localhost'], 'http://localhost', '10.0.0.1', false],
    [['localhost', 'db.example.com'], url, '127.0.0.1', false],
    [['*.localhost'], 'http://a.localhost', '127.0.0.1', false],
    [['localhost:8080'], 'http://localhost', '127.0.0.1', false],
  ];
  for (const [entries, from, address, allowed] of cases) {
    t.equal(
      permitsAddress(entries, from, address),
      allowed,
      `${entries} and ${from} at ${address}`,
    );
  }
});

t.test('what is no entry is refused, by its place', async (t) => {
  for (const entry of [
    '',
    ' ',
    '*',
    '*.',
    '*.*.example.com',
    'a.*.example.com',
    '**.example.com',
    'example.com/',
    'example.com/path',
    'https://example.com',
    'user@example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:080000',
    'example.com:http',
    'example.com:80:80',
    'example..com',
    '.example.com',
    '-a.example.com',
    'a b.example.com',
    'exa%6dple.com',
    '127.1',
    '0x7f000001',
    '2130706433',
    '256.1.1.1',
    '[::1',
    '::1]:80',
    '[::1]80',
    '[fe80::1%eth0]',
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '*.10.0.0.1',
    '*.10.0.0.0/8',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}aa`,
    'a\0b',
    'a\tb.com',
  ]) {
    t.throws(
      () => new AllowList(['example.com', entry]),
      { code: 'CONFIGURATION_INVALID', details: { path: 'allowFetch.1' } },
      JSON.stringify(entry),
    );
  }
});

t.test('any entry is taken or refused, and never allows what is not public by a name', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.domain(),
        fc.webAuthority({ withIPv4: true, withIPv6: true, withPort: true }),
      ),
      fc.ipV4(),
      (entry, address) => {
        try {
          const list = new AllowList([entry]);
          const target = { host: 'db.example.com', address: undefined, port: 80 };
          return !list.permitsAddress(target, parseAddress(address) as Address);
        } catch (error) {
          return error instanceof HatcheryError && error.code === 'CONFIGURATION_INVALID';
        }
      },
    ),
    { numRuns: 1000 },
  );
});

t.test('a name that is listed is allowed, and no other', async () => {
  fc.assert(
    fc.property(fc.domain(), fc.domain(), (name, other) => {
      const list = new AllowList([name]);
      const allowed = (host: string) => list.permits(targetOf(new URL(`https://${host}`)));
      return (
        allowed(name) &&
        !allowed(`a.${name}`) &&
        !allowed(`${name}.${other}`) &&
        (allowed(other) ? other.toLowerCase() === name.toLowerCase() : true)
      );
    }),
  );
});
