/** Headers that are for one connection and do not go further: RFC 9110, section 7.6.1. */

const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
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

/**
 * What a `Connection` header names besides; `undefined` for the usual ones, which name nothing.
 * Names in lower case.
 */
export function namedByConnection(value: string): ReadonlySet<string> | undefined {
  return value === 'keep-alive' || value === 'close'
    ? undefined
    : new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}
