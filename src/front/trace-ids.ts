/** New ids for traces and spans. */
import { randomBytes } from 'node:crypto';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
/** Asked for at once: a call for each id would cost more than all else that is done about it. */
const POOL_BYTES = 4 * 1024;
let pool = '';
let used = 0;

/** 32 hexadecimal digits, not all 0. */
export function newTraceId(): string {
  return next(TRACE_DIGITS);
}

/** 16 hexadecimal digits, not all 0. */
export function newSpanId(): string {
  return next(SPAN_DIGITS);
}

function next(digits: number): string {
  for (;;) {
    if (used + digits > pool.length) {
      pool = randomBytes(POOL_BYTES).toString('hex');
      used = 0;
    }
    const id = pool.slice(used, used + digits);
    used += digits;
    if (/[^0]/.test(id)) {
      return id;
    }
  }
}
