/** W3C Trace Context: what may be passed on. */

/** Version 00 has four fields; later versions may have more. FF is none. */
const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** Whether a `traceparent` is one; else neither it nor its `tracestate` may be passed on. */
export function isTraceparent(value: string): boolean {
  const parts = TRACEPARENT.exec(value);
  return parts !== null && (parts[1] !== '00' || parts[2] === undefined);
}
