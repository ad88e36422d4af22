/** Headers that are for one connection and do not go further: RFC 9110, section 7.6.1. */

const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** @param name in lower case. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** Without it a request means something else, so no client may have it taken away. */
const ESSENTIAL = 'host';

/**
 * What a `Connection` header names besides; `undefined` for the usual ones, which name nothing.
 * Names in lower case.
 */
export function namedByConnection(value: string): ReadonlySet<string> | undefined {
  if (value === 'keep-alive' || value === 'close') {
    return undefined;
  }
  const names = new Set(value.split(',').map((name) => name.trim().toLowerCase()));
  names.delete(ESSENTIAL);
  return names;
}

/** The same headers without those of the names; name and value in turn. */
export function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.filter((_, index) => !names.has(headers[index & ~1] as string));
}
