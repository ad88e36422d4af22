import fc from 'fast-check';
import { test } from 'tap';
import { encodeRequest, REQUEST_HEADER_BYTES, type RequestFrame } from '../../src/channel.js';
import { REQUEST_CAPACITY } from '../../src/drivers/driver.js';
import { NO_LIMITS } from './frames.js';

/** Reads a frame as the guest does: strings up to their NULs, then the body. */
function readAsGuest(frame: Buffer) {
  const headBytes = frame.readUInt32LE(0);
  const bodyBytes = frame.readUInt32LE(4);
  const headEnd = REQUEST_HEADER_BYTES + headBytes;
  const strings = frame.toString('latin1', REQUEST_HEADER_BYTES, headEnd).split('\0');
  return {
    last: strings.pop(),
    method: strings.shift(),
    url: strings.shift(),
    headers: strings,
    body: frame.subarray(headEnd, headEnd + bodyBytes),
    more: frame.readUInt32LE(8) === 1,
    reserved: frame.readUInt32LE(12),
  };
}

const character = fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code));
const text = fc.string({ unit: character, maxLength: 40 });

const request: fc.Arbitrary<RequestFrame> = fc.record({
  method: text,
  url: text,
  headers: fc.array(fc.tuple(text, text), { maxLength: 8 }).map((pairs) => pairs.flat()),
  body: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
});

test('a guest reads back what was encoded', async (t) => {
  const target = Buffer.alloc(2048);
  fc.assert(
    fc.property(request, (sent) => {
      target.fill(0xee);
      const { frameBytes, bodyBytes } = encodeRequest(target, sent, NO_LIMITS);
      const read = readAsGuest(target.subarray(0, frameBytes));
      const names = (_: string, index: number) => index % 2 === 0;
      t.equal(read.last, '');
      t.equal(read.reserved, 0);
      t.equal(read.method, sent.method);
      t.equal(read.url, sent.url);
      t.strictSame(
        read.headers,
        sent.headers.map((part, i) => (names(part, i) ? part.toLowerCase() : part)),
      );
      t.ok(read.body.equals((sent.body ?? Buffer.alloc(0)).subarray(0, bodyBytes)));
      t.equal(read.more, bodyBytes < (sent.body?.length ?? 0));
      t.equal(target[frameBytes] ?? 0xee, 0xee, 'nothing is written behind the frame');
    }),
  );
});

test('a body that does not fit is begun, and the rest announced', async (t) => {
  const target = Buffer.alloc(REQUEST_CAPACITY);
  const body = Buffer.alloc(REQUEST_CAPACITY, 7);
  const { frameBytes, bodyBytes } = encodeRequest(
    target,
    {
      method: 'POST',
      url: 'http://h/',
      headers: [],
      body,
    },
    NO_LIMITS,
  );
  t.equal(frameBytes, REQUEST_CAPACITY);
  t.equal(bodyBytes, REQUEST_CAPACITY - REQUEST_HEADER_BYTES - 'POST\0http://h/\0'.length);
  t.equal(readAsGuest(target).more, true);
});

test('a head that does not fit is refused', async (t) => {
  const target = Buffer.alloc(256);
  const frame = { method: 'GET', url: 'http://h/', body: undefined };
  t.throws(() => encodeRequest(target, { ...frame, headers: ['x', 'y'.repeat(256)] }, NO_LIMITS), {
    code: 'REQUEST_HEAD_TOO_LARGE',
    status: 431,
    details: { limit: 240 },
  });
});

test('no string can become two, or a line of its own', async (t) => {
  const target = Buffer.alloc(1024);
  const good = { method: 'GET', url: 'http://h/', headers: ['a', 'b'], body: undefined };
  for (const bad of ['a\0b', 'a\r\nb', 'a\nb', 'a\u0100b', 'a\u20acb', 'a\u212ab']) {
    for (const frame of [
      { ...good, method: bad },
      { ...good, url: bad },
      { ...good, headers: [bad, 'b'] },
      { ...good, headers: ['a', bad] },
    ]) {
      t.throws(() => encodeRequest(target, frame, NO_LIMITS), { code: 'INVALID_ARGUMENT' });
    }
  }
});
