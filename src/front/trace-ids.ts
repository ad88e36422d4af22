/** New ids for traces and spans. */
import { randomFillSync } from 'node:crypto';

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** Asked for at once: a call for each id would cost more than the request's head. */
const pool = Buffer.allocUnsafe(8 * 1024);
let used = pool.length;

/** 32 hexadecimal digits, not all 0. */
export function newTraceId(): string {
  return next(TRACE_BYTES);
}

/** 16 hexadecimal digits, not all 0. */
export function newSpanId(): string {
  return next(SPAN_BYTES);
}

function next(bytes: number): string {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const id = pool.toString('hex', used, used + bytes);
    used += bytes;
    if (/[^0]/.test(id)) {
      return id;
    }
  }
}
