/** Which addresses count as public: by the registries' table, at the edges, and in every spelling. */
import fc from 'fast-check';
import t from 'tap';
import {
  type Address,
  isLoopback,
  isPublic,
  type Network,
  Networks,
  parseAddress,
  parseNetwork,
} from '../../src/fabric/host-calls/addresses.js';

const publicly = (text: string) => {
  const address = parseAddress(text);
  return address === undefined ? 'no address' : isPublic(address);
};

t.test(
  'blocks of the special-purpose registries are not public, their neighbours are',
  async (t) => {
    // First and last address of each block, and what lies before and behind it.
    const blocks: [
      before: string | undefined,
      first: string,
      last: string,
      behind: string | undefined,
    ][] = [
      [undefined, '0.0.0.0', '0.255.255.255', '1.0.0.0'],
      ['9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
      ['100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
      ['126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
      ['169.253.255.255', '169.254.0.0', '169.254.255.255', '169.255.0.0'],
      ['172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
      ['191.255.255.255', '192.0.0.0', '192.0.0.255', '192.0.1.0'],
      ['192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'],
      ['192.88.98.255', '192.88.99.0', '192.88.99.255', '192.88.100.0'],
      ['192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
      ['198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
      ['198.51.99.255', '198.51.100.0', '198.51.100.255', '198.51.101.0'],
      ['203.0.112.255', '203.0.113.0', '203.0.113.255', '203.0.114.0'],
      ['223.255.255.255', '224.0.0.0', '255.255.255.255', undefined],
      ['168.63.129.15', '168.63.129.16', '168.63.129.16', '168.63.129.17'],
      [undefined, '::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', undefined],
      [undefined, '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:200::'],
      ['2001:db7:ffff::', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '2001:db9::'],
      ['2001:ffff::', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '2003::'],
      ['3ffe:ffff::', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', '3fff:1000::'],
      ['3fff:ffff::', '4000::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined],
    ];
    for (const [before, first, last, behind] of blocks) {
      t.equal(publicly(first), false, first);
      t.equal(publicly(last), false, last);
      for (const neighbour of [before, behind]) {
        if (neighbour !== undefined) {
          t.equal(publicly(neighbour), true, neighbour);
        }
      }
    }
  },
);

t.test('what is dangerous has a name', async (t) => {
  for (const address of [
    '127.0.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '100::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2002:7f00:1::',
    '64:ff9b::7f00:1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::a00:1',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '0:0:0:0:0:ffff:7f00:0001',
    '::127.0.0.1',
    '::8.8.8.8',
    '::ffff:0:127.0.0.1',
    '5f00::1',
  ]) {
    t.equal(publicly(address), false, address);
  }
  for (const address of ['1.1.1.1', '8.8.8.8', '::ffff:8.8.8.8', '2606:4700::1111', '2a00::1']) {
    t.equal(publicly(address), true, address);
  }
});

t.test('a mapped address is public exactly if the IPv4 address is', async () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => publicly(address) === publicly(`::ffff:${address}`)),
    { numRuns: 2000 },
  );
});

t.test('an address has one spelling', async (t) => {
  const spellings: [string, string][] = [
    ['::FFFF:127.0.0.1', '127.0.0.1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['[::1]', '::1'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['10.0.0.1', '10.0.0.1'],
  ];
  for (const [from, to] of spellings) {
    t.equal(parseAddress(from)?.text, to, from);
  }
  for (const none of [
    '',
    'fe80::1%lo',
    '127.1',
    '0x7f.1',
    '1.2.3.4.5',
    '::1]',
    'a',
    '1.2.3',
    ':::',
  ]) {
    t.equal(parseAddress(none), undefined, none);
  }
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const address = parseAddress(text);
      return address !== undefined && parseAddress(address.text)?.text === address.text;
    }),
  );
});

t.test('loopback is 127.0.0.0/8 and ::1, mapped or not', async (t) => {
  const loopback = (text: string) => isLoopback(parseAddress(text) as Address);
  for (const yes of ['127.0.0.1', '127.255.0.3', '::1', '::ffff:127.8.8.8']) {
    t.ok(loopback(yes), yes);
  }
  for (const no of ['128.0.0.1', '12.7.0.1', '::', '::2', '::127.0.0.1', '10.0.0.1']) {
    t.notOk(loopback(no), no);
  }
});

t.test('networks', async (t) => {
  const holds = (network: string, text: string) =>
    new Networks([parseNetwork(network) as Network]).has(parseAddress(text) as Address);
  t.ok(holds('10.0.0.0/8', '10.255.0.1'));
  t.notOk(holds('10.0.0.0/8', '11.0.0.0'));
  t.ok(holds('10.1.2.3', '10.1.2.3'));
  t.notOk(holds('10.1.2.3', '10.1.2.4'));
  t.ok(holds('::ffff:10.0.0.0/104', '10.1.1.1'));
  t.notOk(holds('::ffff:10.0.0.0/104', '11.1.1.1'));
  t.ok(holds('10.0.0.0/8', '::ffff:10.1.1.1'));
  t.ok(holds('fd00::/8', 'fdff::1'));
  t.notOk(holds('fd00::/8', 'fe00::1'));
  t.ok(holds('0.0.0.0/0', '1.2.3.4'));
  t.notOk(holds('0.0.0.0/0', '::1'));
  t.notOk(holds('::/0', '1.2.3.4'), 'no IPv6 network holds an IPv4 address');
  for (const none of [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '/8',
    'fd00::1/8',
    'fd00::/129',
    '::ffff:10.0.0.0/8',
    'example.com/8',
    '10.0.0.0/8.0',
    '10.0.0.0/ 8',
  ]) {
    t.equal(parseNetwork(none), undefined, none);
  }
});

t.test('a network holds exactly the addresses with its prefix', async () => {
  const bits = (text: string) =>
    text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (a, b, prefix) => {
      const shift = BigInt(32 - prefix);
      const start = (bits(a) >> shift) << shift;
      const text = [24n, 16n, 8n, 0n].map((by) => (start >> by) & 255n).join('.');
      const list = new Networks([parseNetwork(`${text}/${prefix}`) as Network]);
      return list.has({ family: 'ipv4', text: b }) === (bits(b) >> shift === bits(a) >> shift);
    }),
  );
});
