/** Which requests are traced. */

export interface Sampling {
  /** Of the traces that begin here, from 0 (none) to 1 (all). */
  readonly share: number;
  /** A request that is part of a trace already is traced where whoever sent it traces it. */
  readonly followsParent: boolean;
}

const MOST = 0xffff_ffff;

/**
 * Decides by the trace's id, so that everybody who samples by the same share decides alike; the same
 * function of it as OpenTelemetry's SDK for JavaScript has.
 * @param traceId 32 hexadecimal digits.
 * @param parent whether the parent is traced; `undefined` where there is none.
 */
export function isSampled(
  { share, followsParent }: Sampling,
  traceId: string,
  parent: boolean | undefined,
): boolean {
  if (followsParent && parent !== undefined) {
    return parent;
  }
  return share >= 1 || (share > 0 && foldedId(traceId) < Math.floor(share * MOST));
}

function foldedId(traceId: string): number {
  let folded = 0;
  for (let at = 0; at < traceId.length; at += 8) {
    folded = (folded ^ Number.parseInt(traceId.slice(at, at + 8), 16)) >>> 0;
  }
  return folded;
}
