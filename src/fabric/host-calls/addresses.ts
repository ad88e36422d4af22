/** IP addresses: one spelling for each, networks of them, and which are public. */
import { BlockList, isIP } from 'node:net';

/** An address of one family. An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) is the IPv4 one. */
export interface Address {
  readonly family: 'ipv4' | 'ipv6';
  /** Without brackets, without a zone. */
  readonly text: string;
}

/** Addresses whose first `prefix` bits are those of `address`. */
export interface Network {
  readonly address: Address;
  readonly prefix: number;
}

const ADDRESS_BITS = { ipv4: 32, ipv6: 128 } as const;
const MAPPED_PREFIX_BITS = 96;

/**
 * Blocks that lead to something else than the internet at large. Sources: IANA's IPv4 and IPv6
 * Special-Purpose Address Registries, but for what they call globally reachable, and the multicast
 * and reserved space of the address space registries.
 */
const NOT_PUBLIC = [
  '0.0.0.0/8', // this network: RFC 791
  '10.0.0.0/8', // private: RFC 1918
  '100.64.0.0/10', // shared by a carrier's customers: RFC 6598
  '127.0.0.0/8', // loopback: RFC 1122
  '169.254.0.0/16', // link-local, clouds' metadata services: RFC 3927
  '172.16.0.0/12', // private: RFC 1918
  '192.0.0.0/24', // IETF protocol assignments: RFC 6890
  '192.0.2.0/24', // documentation: RFC 5737
  '192.88.99.0/24', // 6to4 relays, deprecated: RFC 7526
  '192.168.0.0/16', // private: RFC 1918
  '198.18.0.0/15', // benchmarking: RFC 2544
  '198.51.100.0/24', // documentation: RFC 5737
  '203.0.113.0/24', // documentation: RFC 5737
  '224.0.0.0/4', // multicast: RFC 5771
  '240.0.0.0/4', // reserved, limited broadcast: RFC 1112, RFC 919
  '168.63.129.16/32', // in no registry: a cloud's service for its virtual machines, seen only from these
  // Of IPv6 only 2000::/3 is assigned as global unicast (RFC 4291, 2.4). So what lies elsewhere is not
  // public, whether it has a name or not: `::`, loopback, IPv4-compatible, NAT64 (64:ff9b::/96,
  // RFC 6052; 64:ff9b:1::/48, RFC 8215), discard (100::/64, RFC 6666), segment routing (5f00::/16,
  // RFC 9602), unique local (fc00::/7, RFC 4193), link-local (fe80::/10), site-local (fec0::/10,
  // RFC 3879), multicast (ff00::/8).
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23', // IETF protocol assignments, Teredo (2001::/32): RFC 2928, RFC 4380
  '2001:db8::/32', // documentation: RFC 3849
  '2002::/16', // 6to4, which carries an IPv4 address: RFC 3056
  '3fff::/20', // documentation: RFC 9637
];

/** A set of addresses. */
export class Networks {
  // One list for each family: BlockList takes an IPv4 address for one of `::/3`, being `::ffff:…`.
  readonly #lists = { ipv4: new BlockList(), ipv6: new BlockList() };

  constructor(networks: readonly Network[]) {
    for (const { address, prefix } of networks) {
      this.#lists[address.family].addSubnet(address.text, prefix, address.family);
    }
  }

  has({ text, family }: Address): boolean {
    return this.#lists[family].check(text, family);
  }
}

/** Made when it is first needed, which most processes never do: it takes some milliseconds. */
let notPublic: Networks | undefined;

/** Whether an address belongs to the internet at large. */
export function isPublic(address: Address): boolean {
  notPublic ??= new Networks(NOT_PUBLIC.map((text) => parseNetwork(text) as Network));
  return !notPublic.has(address);
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback({ text, family }: Address): boolean {
  return family === 'ipv4' ? text.startsWith('127.') : text === '::1';
}

/**
 * @param text an address, IPv6 with or without brackets and in any of its spellings.
 * @returns `undefined` for what is none, and for one with a zone (`fe80::1%eth0`).
 */
export function parseAddress(text: string): Address | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (isIP(bare) === 4) {
    return { family: 'ipv4', text: bare };
  }
  if (isIP(bare) !== 6 || bare.includes('%')) {
    return undefined;
  }
  // URL writes each address in the one way of RFC 5952, an embedded IPv4 address in hexadecimal.
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) {
    return { family: 'ipv6', text: canonical };
  }
  const [high, low] = mapped.slice(1).map((group) => Number.parseInt(group, 16)) as [
    number,
    number,
  ];
  return { family: 'ipv4', text: [high >> 8, high & 255, low >> 8, low & 255].join('.') };
}

/**
 * @param text an address, a slash and the number of bits, `10.0.0.0/8` or `fd00::/8`; or an address
 *   alone, a network of one.
 * @returns `undefined` for what is none, or has bits behind its prefix.
 */
export function parseNetwork(text: string): Network | undefined {
  const [host = '', bits, ...rest] = text.split('/');
  const address = parseAddress(host);
  if (address === undefined || rest.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) {
    return undefined;
  }
  const all = ADDRESS_BITS[address.family];
  // A network of IPv4-mapped addresses counts its bits from the start of the IPv6 address.
  const skipped = address.family === 'ipv4' && host.includes(':') ? MAPPED_PREFIX_BITS : 0;
  const prefix = bits === undefined ? all : Number(bits) - skipped;
  if (prefix < 0 || prefix > all || hasBitsBehind(address, prefix)) {
    return undefined;
  }
  return { address, prefix };
}

function hasBitsBehind(address: Address, prefix: number): boolean {
  const behind = BigInt(ADDRESS_BITS[address.family] - prefix);
  return (numberOf(address) & ((1n << behind) - 1n)) !== 0n;
}

function numberOf({ family, text }: Address): bigint {
  if (family === 'ipv4') {
    return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  }
  const [head = '', tail] = text.split('::');
  const front = head.split(':').filter((group) => group !== '');
  const back = (tail ?? '').split(':').filter((group) => group !== '');
  const zeroes = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return [...front, ...zeroes, ...back].reduce(
    (sum, group) => (sum << 16n) | BigInt(`0x${group}`),
    0n,
  );
}
