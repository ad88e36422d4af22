import type { HeadLimits } from '../../src/channel.js';
/** What a guest sends, for tests: well-formed unless the caller wants otherwise. */

export function responseFrame(
  response: {
    status?: number;
    flags?: number;
    headers?: readonly string[];
    body?: Uint8Array;
  } = {},
): Buffer {
  const head = Buffer.from((response.headers ?? []).map((part) => `${part}\0`).join(''), 'latin1');
  const body = response.body ?? new Uint8Array();
  return Buffer.concat([
    words(response.status ?? 200, response.flags ?? 0, head.length, body.length),
    head,
    body,
  ]);
}

export function logRecord(level: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([words(level, bytes.length), bytes]);
}

export function panicReport(reason: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([words(reason, bytes.length), bytes]);
}

/** A host call. Default: the first one, a READ of the request's body. */
export function callFrame({
  call = 1,
  kind = 3,
  more = false,
  payload = words(0) as Uint8Array,
} = {}): Buffer {
  return Buffer.concat([words(call, kind, more ? 1 : 0, payload.length), payload]);
}

/** What WAIT is told. @param milliseconds from now; default: for ever. */
export function waitFrame(milliseconds?: number): Buffer {
  const until =
    milliseconds === undefined
      ? 0xffff_ffff_ffff_ffffn
      : process.hrtime.bigint() + BigInt(Math.round(milliseconds * 1e6));
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(until);
  return bytes;
}

/** Little-endian 32-bit words. */
export function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32LE(value, 4 * index);
  });
  return bytes;
}

/** Limits that no frame hits. */
export const NO_LIMITS: HeadLimits = { bytes: Number.MAX_SAFE_INTEGER, headers: 1e6 };
