import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'tap';
import {
  CALL_KIND,
  COMPLETION_HEADER_BYTES,
  decodeCall,
  decodeCallId,
  decodeWait,
  encodeCompletion,
} from '../../src/call-frames.js';
import { callFrame, words } from './frames.js';

const INVALID = { code: 'RESPONSE_INVALID' };
const id = fc.integer({ min: 1, max: 0xffff_ffff });
const kind = fc.constantFrom(...Object.values(CALL_KIND));

test('a well-formed call is read back', async (t) => {
  fc.assert(
    fc.property(id, kind, fc.boolean(), fc.uint8Array({ maxLength: 100 }), (...given) => {
      const [call, ofKind, more, payload] = given;
      const read = decodeCall(callFrame({ call, kind: ofKind, more, payload }));
      t.match(read, { call, kind: ofKind, more });
      t.ok(Buffer.from(payload).equals(read.payload));
    }),
  );
});

test('a malformed call is refused', async (t) => {
  const wrong: Record<string, Uint8Array> = {
    'too short': new Uint8Array(15),
    'the id 0': callFrame({ call: 0 }),
    'the kind 0': callFrame({ kind: 0 }),
    'an unknown kind': callFrame({ kind: 5 }),
    'unknown flags': words(1, 1, 2, 0),
    'a payload that is longer than the frame': words(1, 1, 0, 1),
    'a payload that is shorter': Buffer.concat([words(1, 1, 0, 0), Buffer.from('x')]),
    'a length that wraps': words(1, 1, 0, 0xffff_fff0),
  };
  for (const [what, frame] of Object.entries(wrong)) {
    t.throws(() => decodeCall(frame), INVALID, what);
  }
});

test('any bytes are a call or RESPONSE_INVALID', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (frame) => {
      try {
        const { payload } = decodeCall(frame);
        t.equal(payload.length, frame.length - 16);
      } catch (error) {
        t.match(error, INVALID);
      }
    }),
  );
});

test('ids and times', async (t) => {
  t.equal(decodeCallId(words(0xffff_ffff)), 0xffff_ffff);
  t.throws(() => decodeCallId(new Uint8Array(3)), INVALID);
  t.equal(decodeWait(words(5, 1)), 0x1_0000_0005n);
  t.equal(decodeWait(words(0xffff_ffff, 0xffff_ffff)), undefined, 'for ever');
  t.throws(() => decodeWait(new Uint8Array(9)), INVALID);
});

test('a completion has its frame', async (t) => {
  const frame = encodeCompletion({
    call: 7,
    failed: true,
    more: true,
    payload: Buffer.from('abc'),
  });
  t.strictSame(Buffer.from(frame), Buffer.concat([words(7, 3, 3, 0), Buffer.from('abc')]));
});

test('the numbers are those of the header', async (t) => {
  const header = readFileSync('images/abi/hatchery.h', 'utf8');
  for (const [name, value] of Object.entries(CALL_KIND)) {
    t.match(header, new RegExp(`HATCHERY_CALL_${name.toUpperCase()} = ${value}\\b`));
  }
  const completion = /struct hatchery_completion \{([^}]*)\}/.exec(header)?.[1] ?? '';
  t.equal(COMPLETION_HEADER_BYTES, 4 * (completion.match(/uint32_t/g)?.length ?? 0));
});
