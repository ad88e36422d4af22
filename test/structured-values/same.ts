import { deepStrictEqual } from 'node:assert';

/**
 * Throws unless the values are the same. What deepStrictEqual overlooks: which array items are
 * missing, and the order of keys.
 */
export function assertSame(actual: unknown, expected: unknown): void {
  deepStrictEqual(actual, expected);
  deepStrictEqual(keysOf(actual), keysOf(expected));
}

function keysOf(value: unknown, seen = new Set<unknown>()): unknown {
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (value instanceof Map) return [...value].map((pair) => keysOf(pair, seen));
  if (value instanceof Set) return [...value].map((item) => keysOf(item, seen));
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return Object.keys(value).map((key) => [
    key,
    keysOf((value as Record<string, unknown>)[key], seen),
  ]);
}
