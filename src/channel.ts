/**
 * The frames that the host and a guest exchange, as `images/abi/hatchery.h` specifies them. What is
 * decoded here was written by a hostile program: every length and every byte that goes on to a
 * client is checked, and what is wrong is RESPONSE_INVALID.
 */
import { HatcheryError } from './errors.js';

/** Bytes of `struct hatchery_request`. */
export const REQUEST_HEADER_BYTES = 16;
/** Bytes of `struct hatchery_response`. */
export const RESPONSE_HEADER_BYTES = 16;
/** Bytes of `struct hatchery_log_record`. */
const LOG_HEADER_BYTES = 8;
/** Bytes of `struct hatchery_panic`. */
const PANIC_HEADER_BYTES = 8;

export const REQUEST_MORE = 1;
export const RESPONSE_MORE = 1;
export const RESPONSE_BACKGROUND = 2;
export const RESPONSE_ERROR = 4;
export const RESPONSE_STREAM = 8;
const RESPONSE_FLAGS = RESPONSE_MORE | RESPONSE_BACKGROUND | RESPONSE_ERROR | RESPONSE_STREAM;

export const PANIC_REASONS = [
  'abort',
  'startup',
  'pending',
  'stalled',
  'memory',
  'broken',
] as const;
export type PanicReason = (typeof PANIC_REASONS)[number];

/** pino's numbers. */
export const LOG_LEVELS = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' } as const;
export type LogLevel = (typeof LOG_LEVELS)[keyof typeof LOG_LEVELS];

/** A request on its way to a guest. */
export interface RequestFrame {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Name and value in turn, ISO 8859-1 (as in Node's `rawHeaders`), names in any case. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
}

/** What the heads of messages may be at the most. */
export interface HeadLimits {
  readonly bytes: number;
  /** Header lines. */
  readonly headers: number;
}

export interface ResponseFrame {
  readonly status: number;
  /** RESPONSE_MORE, RESPONSE_BACKGROUND, RESPONSE_ERROR, RESPONSE_STREAM. */
  readonly flags: number;
  /** Name and value in turn, names in lower case; valid by RFC 9110. */
  readonly headers: string[];
  /** A view of the payload; copy it before the driver uses its memory again. */
  readonly body: Uint8Array;
}

export interface LogRecord {
  readonly level: LogLevel;
  readonly text: string;
}

export interface PanicReport {
  readonly reason: PanicReason;
  readonly text: string;
}

const NUL = 0;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Lays a request frame into `target`: the head, and as much of the body as fits.
 *
 * @param bodyGoesOn more of the body comes, behind what `request` has of it.
 * @returns the frame's bytes, and how much of the body is in it.
 * @throws HatcheryError REQUEST_HEAD_TOO_LARGE, or INVALID_ARGUMENT when a string of the head has
 *   a NUL, CR or LF, which would make two of one, or a character that ISO 8859-1 has not.
 */
export function encodeRequest(
  target: Buffer,
  request: RequestFrame,
  limits: HeadLimits,
  bodyGoesOn = false,
): { frameBytes: number; bodyBytes: number } {
  const { headers, body } = request;
  if (headers.length > 2 * limits.headers) {
    throw new HatcheryError('REQUEST_HEAD_TOO_LARGE', { limit: limits.headers, unit: 'headers' });
  }
  let head = `${request.method}\0${request.url}\0`;
  let isWide = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const lowered = name.toLowerCase();
    // The Kelvin sign becomes a k.
    isWide ||= lowered !== name && WIDE.test(name);
    head += `${lowered}\0${headers[i + 1] as string}\0`;
  }
  const limit = Math.min(limits.bytes, target.length - REQUEST_HEADER_BYTES);
  if (head.length > limit) {
    throw new HatcheryError('REQUEST_HEAD_TOO_LARGE', { limit, unit: 'bytes' });
  }
  const headEnd = REQUEST_HEADER_BYTES + target.write(head, REQUEST_HEADER_BYTES, 'latin1');
  if (isWide || WIDE.test(head) || !holdsStrings(target, headEnd, 2 + (headers.length & ~1))) {
    throw new HatcheryError('INVALID_ARGUMENT', {
      problem:
        'The method, the URL or a header of the request has a NUL, CR, LF or a character ' +
        'outside ISO 8859-1',
    });
  }

  const bodyBytes = body === undefined ? 0 : Math.min(body.length, target.length - headEnd);
  if (body !== undefined && bodyBytes > 0) {
    target.set(bodyBytes < body.length ? body.subarray(0, bodyBytes) : body, headEnd);
  }
  const more = bodyGoesOn || (body !== undefined && bodyBytes < body.length);
  target.writeUInt32LE(headEnd - REQUEST_HEADER_BYTES, 0);
  target.writeUInt32LE(bodyBytes, 4);
  target.writeUInt32LE(more ? REQUEST_MORE : 0, 8);
  target.writeUInt32LE(0, 12);
  return { frameBytes: headEnd + bodyBytes, bodyBytes };
}

/** Costs nothing for strings that V8 keeps as one byte a character, which nearly all are. */
const WIDE = /[\u0100-\uffff]/;

/** Whether the head in `target` is this many NUL-terminated strings without line ends. */
function holdsStrings(target: Buffer, end: number, strings: number): boolean {
  let ends = 0;
  for (let i = REQUEST_HEADER_BYTES; i < end; i += 1) {
    const byte = target[i] as number;
    if (byte === NUL) {
      ends += 1;
    } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      return false;
    }
  }
  return ends === strings;
}

/**
 * Reads a response frame.
 * @throws HatcheryError RESPONSE_INVALID, RESPONSE_HEAD_TOO_LARGE
 */
export function decodeResponse(payload: Uint8Array, limits: HeadLimits): ResponseFrame {
  if (payload.length < RESPONSE_HEADER_BYTES) {
    throw invalid(`its frame has ${payload.length} bytes`);
  }
  const status = readUint32(payload, 0);
  const flags = readUint32(payload, 4);
  const headBytes = readUint32(payload, 8);
  const bodyBytes = readUint32(payload, 12);
  if (status < 200 || status > 599) {
    throw invalid(`its status is ${status}`);
  }
  if ((flags & ~RESPONSE_FLAGS) !== 0) {
    throw invalid(`its flags are ${flags}`);
  }
  // Both are below 2^32, so the sum is exact.
  if (RESPONSE_HEADER_BYTES + headBytes + bodyBytes !== payload.length) {
    throw invalid(
      `head and body are given as ${headBytes} and ${bodyBytes} bytes in a frame of ` +
        `${payload.length}`,
    );
  }
  if (headBytes > limits.bytes) {
    const name = 'maxResponseHeadBytes';
    throw new HatcheryError('RESPONSE_HEAD_TOO_LARGE', {
      limit: limits.bytes,
      unit: 'bytes',
      name,
    });
  }
  const headEnd = RESPONSE_HEADER_BYTES + headBytes;
  return {
    status,
    flags,
    headers: splitHead(latin1(payload, RESPONSE_HEADER_BYTES, headEnd), limits.headers),
    body: payload.subarray(headEnd),
  };
}

/** `token` of RFC 9110, section 5.6.2. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** `field-value` of RFC 9110, section 5.5, with surrounding white space still allowed. */
export const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

function splitHead(head: string, most: number): string[] {
  const headers: string[] = [];
  let start = 0;
  while (start < head.length) {
    const nameEnd = head.indexOf('\0', start);
    const valueEnd = nameEnd < 0 ? -1 : head.indexOf('\0', nameEnd + 1);
    if (valueEnd < 0) {
      throw invalid('its head ends inside a header');
    }
    const name = head.slice(start, nameEnd);
    const value = head.slice(nameEnd + 1, valueEnd);
    if (!TOKEN.test(name)) {
      throw invalid(`${quote(name)} is not a header name`);
    }
    if (!FIELD_VALUE.test(value)) {
      throw invalid(`the value of the header ${quote(name)} has a control character`);
    }
    if (headers.length === 2 * most) {
      const details = { limit: most, unit: 'headers', name: 'maxHeaders' };
      throw new HatcheryError('RESPONSE_HEAD_TOO_LARGE', details);
    }
    headers.push(name.toLowerCase(), value);
    start = valueEnd + 1;
  }
  return headers;
}

/**
 * Reads log records up to the first broken one; what follows that cannot be found.
 * @returns the records, and whether all of `bytes` were records.
 */
export function decodeLogs(bytes: Uint8Array): { records: LogRecord[]; intact: boolean } {
  const records: LogRecord[] = [];
  let start = 0;
  while (bytes.length - start >= LOG_HEADER_BYTES) {
    const level = LOG_LEVELS[readUint32(bytes, start) as keyof typeof LOG_LEVELS];
    const textBytes = readUint32(bytes, start + 4);
    const textStart = start + LOG_HEADER_BYTES;
    if (level === undefined || textBytes > bytes.length - textStart) {
      return { records, intact: false };
    }
    records.push({ level, text: utf8(bytes, textStart, textStart + textBytes) });
    start = textStart + textBytes;
  }
  return { records, intact: start === bytes.length };
}

/**
 * Reads a panic report.
 * @throws HatcheryError RESPONSE_INVALID
 */
export function decodePanic(payload: Uint8Array): PanicReport {
  const reason =
    payload.length < PANIC_HEADER_BYTES ? undefined : PANIC_REASONS[readUint32(payload, 0) - 1];
  if (reason === undefined || readUint32(payload, 4) !== payload.length - PANIC_HEADER_BYTES) {
    throw invalid('its panic report is malformed');
  }
  return { reason, text: utf8(payload, PANIC_HEADER_BYTES, payload.length) };
}

/** What user code threw, as the guest reports it. */
export interface ThrownReport {
  readonly name: string;
  readonly message: string;
  /** Frames in the engine's notation, with positions in the bundle. */
  readonly stack: string;
}

/** Reads an error report (JSON). What is not one becomes the message of a report. */
export function decodeThrown(text: string): ThrownReport {
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    report = undefined;
  }
  if (typeof report !== 'object' || report === null) {
    return { name: 'Error', message: text, stack: '' };
  }
  const fields = report as Record<string, unknown>;
  const field = (name: string, absent: string) =>
    typeof fields[name] === 'string' ? fields[name] : absent;
  return {
    name: field('name', 'Error'),
    message: field('message', ''),
    stack: field('stack', ''),
  };
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) |
      ((bytes[offset + 1] as number) << 8) |
      ((bytes[offset + 2] as number) << 16) |
      ((bytes[offset + 3] as number) << 24)) >>>
    0
  );
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString('latin1', start, end);
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString('utf8', start, end);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text of a stranger's for a message: in quotes, and not too long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

function invalid(reason: string): HatcheryError {
  return new HatcheryError('RESPONSE_INVALID', { reason });
}
