/**
 * What a function may fetch from. An entry of `allowFetch` is
 *
 *   api.example.com     a name, where it resolves to public addresses
 *   *.example.com       the names below it, however deep, without example.com itself
 *   localhost           that name, on loopback addresses too
 *   10.1.2.3, [fd00::1] an address: by itself in a URL, or as that of a name which is listed too
 *   10.0.0.0/8, fd00::/8  the same for all addresses of a network
 *
 * with a port behind it or not: `db.internal:5432`, `[::1]:8080`, `10.0.0.0/8:8080`, `[fd00::/8]:8080`.
 * An entry without a port allows the ports 80 and 443; any other has to be named. Where an address
 * has to be listed for a name, its entry has to allow the port as well.
 *
 * So an address that is not public is reached only if it is itself listed, whatever names resolve to it.
 */
import { HatcheryError } from '../../errors.js';
import {
  type Address,
  isLoopback,
  isPublic,
  Networks,
  parseAddress,
  parseNetwork,
} from './addresses.js';

const DEFAULT_PORTS: ReadonlySet<number> = new Set([80, 443]);
const SCHEME_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const MAX_PORT = 65_535;
const LOCALHOST = 'localhost';
const MAX_NAME_LENGTH = 253;
const NAME = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

interface Rule {
  readonly ports: ReadonlySet<number>;
  /** Of a name: what it is or, with a leading dot, what it ends in. */
  readonly name?: string;
  /** Of an address or network. */
  readonly addresses?: Networks;
}

/** Where a URL leads, as far as it says itself. */
export interface Target {
  /** In lower case, without the dot of the root; IDNA applied. An address without brackets. */
  readonly host: string;
  /** Where the host is an address. */
  readonly address: Address | undefined;
  readonly port: number;
}

/** @param url http or https. */
export function targetOf(url: URL): Target {
  const host = url.hostname.replace(/\.$/, '');
  const address = parseAddress(host);
  return {
    host: address?.text ?? host,
    address,
    port: url.port === '' ? (SCHEME_PORTS[url.protocol] ?? 0) : Number(url.port),
  };
}

export class AllowList {
  readonly #rules: readonly Rule[];

  /** @throws HatcheryError CONFIGURATION_INVALID with the path `allowFetch.N` */
  constructor(entries: readonly string[]) {
    this.#rules = entries.map((entry, index) => {
      const rule = parseEntry(entry);
      if (typeof rule === 'string') {
        throw new HatcheryError('CONFIGURATION_INVALID', {
          path: `allowFetch.${index}`,
          problem: rule,
        });
      }
      return rule;
    });
  }

  /** Whether the target is listed. A name's addresses are still to be checked, at each connection. */
  permits({ host, address, port }: Target): boolean {
    return address === undefined
      ? this.#rules.some((rule) => rule.ports.has(port) && matchesName(rule, host))
      : this.#lists(address, port);
  }

  /** Whether a connection to the target may go to this address. */
  permitsAddress(target: Target, address: Address): boolean {
    if (!this.permits(target)) {
      return false;
    }
    return (
      (target.address === undefined &&
        (isPublic(address) || (target.host === LOCALHOST && isLoopback(address)))) ||
      this.#lists(address, target.port)
    );
  }

  #lists(address: Address, port: number): boolean {
    return this.#rules.some(
      ({ ports, addresses }) => ports.has(port) && addresses?.has(address) === true,
    );
  }
}

function matchesName({ name }: Rule, host: string): boolean {
  return name?.startsWith('.') ? host.endsWith(name) && host.length > name.length : name === host;
}

/** @returns a rule, or what is wrong. */
function parseEntry(entry: string): Rule | string {
  if (entry.includes('://')) {
    return 'is a URL; give its host alone, or with its port';
  }
  const { host, port } = splitPort(entry);
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= MAX_PORT)) {
    return `has a port that is not a number from 1 to ${MAX_PORT}`;
  }
  const ports = port === undefined ? DEFAULT_PORTS : new Set([Number(port)]);
  if (/^\[|\/|:/.test(host) || parseAddress(host) !== undefined) {
    const network = parseNetwork(host.replace(/^\[(.*)\]$/, '$1'));
    return network === undefined
      ? 'is neither a host name nor an address nor a network without bits behind its prefix'
      : { ports, addresses: new Networks([network]) };
  }
  const below = host.startsWith('*.');
  const name = normaliseName(below ? host.slice(2) : host);
  return name === undefined
    ? 'is neither a host name nor an address nor a network'
    : { ports, name: below ? `.${name}` : name };
}

/** The port is what follows the last colon, unless that is one of an address without brackets. */
function splitPort(entry: string): { host: string; port: string | undefined } {
  const match = /^(\[[^\]]*\]|[^:[\]]*):([^:]*)$/.exec(entry);
  return match === null
    ? { host: entry, port: undefined }
    : { host: match[1] as string, port: /^\d{1,5}$/.test(match[2] ?? '') ? match[2] : 'none' };
}

/** As URL writes names: IDNA applied, in lower case; without the dot of the root. */
function normaliseName(text: string): string | undefined {
  // URL would take what follows for a path, a port or a user.
  if (text === '' || /[\s/?#@\\:%*]/.test(text)) {
    return undefined;
  }
  let name: string;
  try {
    name = new URL(`http://${text}`).hostname.replace(/\.$/, '');
  } catch {
    return undefined;
  }
  // An address in a spelling of its own (`127.1`, `0x7f000001`) is to be written as the usual one.
  const usable = name.length <= MAX_NAME_LENGTH && NAME.test(name);
  return usable && parseAddress(name) === undefined ? name : undefined;
}
