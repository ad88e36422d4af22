/** Proxies in front of this server, whose word on where a request came from is taken. */
import { BlockList, isIP } from 'node:net';
import { HatcheryError } from '../errors.js';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const BITS = { 4: 32, 6: 128 } as const;

/** As a socket tells an address: an IPv4 address in IPv6's clothes is one of IPv4. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

export class TrustedPeers {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /**
   * @param ranges addresses and CIDR blocks: `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
   * @throws HatcheryError INVALID_ARGUMENT
   */
  constructor(ranges: readonly string[]) {
    this.#isEmpty = ranges.length === 0;
    for (const range of ranges) {
      this.#add(range);
    }
  }

  #add(range: string): void {
    const [given = '', length, ...more] = range.split('/');
    const address = plainAddress(given);
    const family = isIP(address);
    const bits = family === 4 ? BITS[4] : BITS[6];
    const prefix = length === undefined ? bits : Number(length);
    const isNumber = length === undefined || /^\d{1,3}$/.test(length);
    // A block over IPv4 addresses in IPv6's clothes would count other bits.
    const isClear = address === given || length === undefined;
    if (family === 0 || more.length > 0 || !isNumber || prefix > bits || !isClear) {
      const problem = `${range} is neither an address nor a block of addresses as 10.0.0.0/8`;
      throw new HatcheryError('INVALID_ARGUMENT', { problem });
    }
    this.#list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }

  /** @param address as `plainAddress` gives it; anything else is not trusted. */
  has(address: string): boolean {
    if (this.#isEmpty) {
      return false;
    }
    const unscoped = address.replace(/%.*$/, '');
    const family = isIP(unscoped);
    return family !== 0 && this.#list.check(unscoped, family === 4 ? 'ipv4' : 'ipv6');
  }
}
