/**
 * Opens connections for a function, to allowed addresses only. What is checked here is what is
 * connected to: node:net gets its addresses from this lookup alone, so a name that resolves to
 * something else a moment later (DNS rebinding) changes nothing. For a host that is an address,
 * node:net looks nothing up, so it is checked before.
 */
import { type LookupFunction, Socket } from 'node:net';
import { buildConnector } from 'undici';
import { parseAddress } from './addresses.js';
import { type AllowList, targetOf } from './allow-list.js';
import type { NameLookup } from './name-lookup.js';

/** The connection was not made, or not used, because of where it would have led. */
export class AddressDenied extends Error {
  override readonly name = 'AddressDenied';
  /** For the host's log: a guest is not to learn what a name resolves to in the host's network. */
  readonly address: string;

  constructor(address: string) {
    super('the address is not allowed');
    this.address = address;
  }
}

export interface ConnectorOptions {
  readonly allow: AllowList;
  readonly names: NameLookup;
  /** How long a connection may take to open, the lookup included. */
  readonly milliseconds: number;
  /** Certificates of authorities, PEM, in place of the usual ones. */
  readonly ca?: string | undefined;
}

/**
 * Connects to one origin.
 * @param onSocket told of each connection as soon as it is being made.
 */
export function guardedConnector(
  origin: URL,
  { allow, names, milliseconds, ca }: ConnectorOptions,
  onSocket: (socket: Socket) => void,
): buildConnector.connector {
  const target = targetOf(origin);
  /** What is wrong with connecting to the address. */
  const denied = (text: string): AddressDenied | undefined => {
    const address = parseAddress(text);
    const allowed = address !== undefined && allow.permitsAddress(target, address);
    return allowed ? undefined : new AddressDenied(text);
  };
  const options: buildConnector.BuildOptions & { readonly port: number } = {
    timeout: milliseconds,
    lookup: guardedLookup(names, denied),
    autoSelectFamily: true,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    port: target.port,
    ...(ca === undefined ? {} : { ca }),
  };
  const connect = buildConnector(options);
  return (to, callback) => {
    const early = target.address && denied(target.address.text);
    if (early !== undefined) {
      callback(early, null);
      return;
    }
    const connecting: unknown = connect(to, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      // Nothing was sent yet. This holds whatever ways around the lookup node:net may have.
      const late = denied(socket.remoteAddress ?? '');
      if (late !== undefined) {
        socket.destroy();
        callback(late, null);
        return;
      }
      callback(null, socket);
    });
    // undici's types do not say that it is returned.
    if (connecting instanceof Socket) {
      onSocket(connecting);
    }
  };
}

/** Fails where one address is not allowed, even if others are: which is used is not for us to say. */
function guardedLookup(
  names: NameLookup,
  denied: (address: string) => AddressDenied | undefined,
): LookupFunction {
  return (name, options, callback) => {
    names.addresses(name).then(
      (found) => {
        const [first] = found;
        const wrong = found.map(({ address }) => denied(address)).find((error) => error);
        if (first === undefined || wrong !== undefined) {
          callback(wrong ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
        } else if (options.all) {
          callback(
            null,
            found.map(({ address, family }) => ({ address, family })),
          );
        } else {
          callback(null, first.address, first.family);
        }
      },
      (error) => callback(error, ''),
    );
  };
}
