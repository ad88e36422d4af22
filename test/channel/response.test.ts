import fc from 'fast-check';
import { test } from 'tap';
import { decodeResponse } from '../../src/channel.js';
import { HatcheryError } from '../../src/errors.js';
import { NO_LIMITS, responseFrame } from './frames.js';

const INVALID = { code: 'RESPONSE_INVALID', status: 502 };

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/);
const value = fc.stringMatching(/^[\t -~\u0080-\u00ff]{0,40}$/);

test('a well-formed frame is read back', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.integer({ min: 0, max: 15 }),
      fc.array(fc.tuple(token, value), { maxLength: 8 }),
      fc.uint8Array({ maxLength: 300 }),
      (status, flags, headers, body) => {
        const frame = decodeResponse(
          responseFrame({ status, flags, headers: headers.flat(), body }),
          NO_LIMITS,
        );
        t.equal(frame.status, status);
        t.equal(frame.flags, flags);
        t.strictSame(
          frame.headers,
          headers.flatMap(([name, text]) => [name.toLowerCase(), text]),
        );
        t.ok(Buffer.from(body).equals(frame.body));
      },
    ),
  );
});

test('arbitrary bytes are read or refused, never over-read', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 80 });
  const nearlyRight = fc
    .tuple(fc.uint8Array({ minLength: 16, maxLength: 80 }), fc.nat({ max: 80 }))
    .map(([raw, headBytes]) => {
      const frame = Buffer.from(raw);
      frame.writeUInt32LE(200, 0);
      frame.writeUInt32LE(0, 4);
      frame.writeUInt32LE(headBytes, 8);
      frame.writeUInt32LE(Math.max(0, frame.length - 16 - headBytes), 12);
      return new Uint8Array(frame);
    });
  fc.assert(
    fc.property(fc.oneof(bytes, nearlyRight), (payload) => {
      // What lies around the payload in the driver's memory must not show.
      const surroundings = Buffer.alloc(payload.length + 64, 'S');
      surroundings.set(payload, 32);
      try {
        const frame = decodeResponse(surroundings.subarray(32, 32 + payload.length), NO_LIMITS);
        t.ok(frame.status >= 200 && frame.status <= 599);
        t.ok(frame.body.length <= payload.length);
        t.notMatch(frame.headers.join(), /[\r\n\0]/);
      } catch (error) {
        t.ok(error instanceof HatcheryError && error.code === 'RESPONSE_INVALID', String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('what a client must not see is refused', async (t) => {
  const refused = {
    'a status below 200': { status: 199 },
    'a switch of protocols': { status: 101 },
    'a status above 599': { status: 600 },
    'an unknown flag': { flags: 16 },
    'an empty header name': { headers: ['', 'v'] },
    'a space in a name': { headers: ['a b', 'v'] },
    'a colon in a name': { headers: ['a:b', 'v'] },
    'a line feed in a value': { headers: ['a', 'v\nset-cookie: x'] },
    'a carriage return in a value': { headers: ['a', 'v\rb'] },
    'a delete character in a value': { headers: ['a', '\x7f'] },
    'a head that ends in a name': { headers: ['a'] },
  };
  for (const [what, frame] of Object.entries(refused)) {
    t.throws(() => decodeResponse(responseFrame(frame), NO_LIMITS), INVALID, what);
  }
});

test('lengths that disagree with the frame are refused', async (t) => {
  for (const [offset, length] of [
    [8, 1],
    [8, 0xffffffff],
    [12, 5],
    [12, 0xffffffff],
  ] as const) {
    const frame = responseFrame({ headers: ['a', 'b'], body: Buffer.from('body') });
    frame.writeUInt32LE(length, offset);
    t.throws(() => decodeResponse(frame, NO_LIMITS), INVALID);
  }
  t.throws(() => decodeResponse(new Uint8Array(15), NO_LIMITS), INVALID);
});
