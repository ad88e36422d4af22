import fc from 'fast-check';
import { test } from 'tap';
import { decode, encode, MAX_DEPTH, StructuredValueError } from '../../src/structured-values.js';

/** Decodes, which may only fail as it says. */
function attempt(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof StructuredValueError) return error;
    throw error;
  }
}

const SEED = encode({
  text: 'text',
  units: '\ud800',
  numbers: [1, -5, 1.5, 12345678901234567890n, -7n],
  holes: Object.assign(new Array(3), { named: true }),
  map: new Map<unknown, unknown>([['k', new Set([new Date(0)])]]),
  boxed: [Object('x'), Object(1n)],
  regexp: /a(b)c/gi,
  bytes: new Uint8Array(40),
  floats: new Float64Array(3),
  buffer: new ArrayBuffer(9),
  view: new DataView(new ArrayBuffer(3)),
  error: new TypeError('message', { cause: [1] }),
  exception: new DOMException('m', 'AbortError'),
});

test('any bytes decode or throw StructuredValueError', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      attempt(bytes);
    }),
    { numRuns: 20_000 },
  );
  // Bytes that are mostly tags go deeper than random ones.
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0x18 }), { maxLength: 100 }), (tags) => {
      attempt(Uint8Array.from(tags));
    }),
    { numRuns: 20_000 },
  );
  t.end();
});

test('so do encodings of which bytes were changed', (t) => {
  const change = fc.record({
    at: fc.nat({ max: SEED.length - 1 }),
    byte: fc.oneof(fc.nat({ max: 0x18 }), fc.constantFrom(0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
    how: fc.constantFrom('replace', 'insert', 'remove', 'cut'),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      let bytes = [...SEED];
      for (const { at, byte, how } of changes) {
        if (how === 'cut') bytes = bytes.slice(0, at);
        else bytes.splice(at, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]));
      }
      attempt(Uint8Array.from(bytes));
    }),
    { numRuns: 20_000 },
  );
  t.end();
});

test('what decodes is a value: it can be encoded again', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0x18 }), { maxLength: 60 }), (tags) => {
      const value = attempt(Uint8Array.from(tags));
      if (!(value instanceof StructuredValueError)) encode(value);
    }),
    { numRuns: 20_000 },
  );
  t.end();
});

test('an encoding that breaks off is no value, nor is one with bytes behind it', (t) => {
  for (let end = 0; end < SEED.length; end++) {
    t.throws(() => decode(SEED.subarray(0, end)), StructuredValueError, `${end} bytes`);
  }
  t.throws(() => decode(Uint8Array.from([...SEED, 0])), StructuredValueError);
  t.end();
});

const HOSTILE: Readonly<Record<string, number[]>> = {
  'no bytes': [],
  'an unknown tag': [0x18],
  'an end for a value': [0x00],
  'a hole for a value': [0x01],
  'a hole in a set': [0x12, 0x01, 0x00],
  'a text of 4 GiB': [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
  'code units of 8 GiB': [0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f],
  'a buffer of 4 GiB': [0x13, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3],
  'a bigint of 4 GiB': [0x08, 0xff, 0xff, 0xff, 0xff, 0x0f],
  'a count beyond 2^32': [0x0a, 0xff, 0xff, 0xff, 0xff, 0x1f],
  'a count without end': [0x0a, ...new Array(100).fill(0x80), 0x00],
  'a count that breaks off': [0x0a, 0x80],
  'a text that is no UTF-8': [0x0a, 1, 0xff],
  'a text with a surrogate': [0x0a, 3, 0xed, 0xa0, 0x80],
  'a reference to nothing': [0x17, 0],
  'a reference to itself as boxed': [0x0c, 0x17, 0],
  'a reference far ahead': [0x0f, 0x17, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x00],
  'a boxed null': [0x0c, 0x03],
  'a boxed array': [0x0c, 0x0f, 0, 0],
  'a key that is a number': [0x10, 0x06, 2, 0x05, 0x00],
  'a key that is a reference': [0x10, 0x17, 0, 0x05, 0x00],
  'a length among the properties': [0x0f, 0, 0x0a, 6, ...Buffer.from('length'), 0x06, 0x7e, 0],
  'an index among the properties': [0x0f, 0, 0x0a, 9, ...Buffer.from('999999999'), 0x05, 0],
  'a regexp that is none': [0x0e, 0x0a, 1, 0x28, 0x0a, 0],
  'flags that are none': [0x0e, 0x0a, 0, 0x0a, 1, 0x7a],
  'a view of an unknown kind': [0x14, 99, 0],
  'a view of half an item': [0x14, 9, 5, 1, 2, 3, 4, 5],
  'an error of an unknown kind': [0x15, 7, 0x02, 0],
  'an error with an unclear cause': [0x15, 0, 0x02, 2],
  'an error with a number for a message': [0x15, 0, 0x06, 2, 0],
};

test('hostile encodings are refused at once', (t) => {
  for (const [name, bytes] of Object.entries(HOSTILE)) {
    t.throws(() => decode(Uint8Array.from(bytes)), StructuredValueError, name);
  }
  t.end();
});

test('depth is bounded', (t) => {
  const arrays = (levels: number) =>
    Uint8Array.from([...new Array(levels).fill(0x0f), ...new Array(levels * 2).fill(0)]);
  t.doesNotThrow(() => decode(arrays(MAX_DEPTH)));
  t.throws(() => decode(arrays(MAX_DEPTH + 1)), StructuredValueError);
  for (const tag of [0x0c, 0x0f, 0x10, 0x11, 0x12, 0x15]) {
    t.throws(() => decode(new Uint8Array(1_000_000).fill(tag)), StructuredValueError);
  }
  t.end();
});

test('memory is proportional to the bytes', (t) => {
  const MEBIBYTE = 1 << 20;
  const inside = (item: number[]) => {
    const bytes = new Uint8Array(MEBIBYTE);
    bytes[0] = 0x0f;
    const count = Math.floor((MEBIBYTE - 3) / item.length);
    for (let i = 0; i < count; i++) bytes.set(item, 1 + i * item.length);
    return bytes.subarray(0, 1 + count * item.length + 2);
  };
  for (const [name, item] of Object.entries({
    holes: [0x01],
    objects: [0x10, 0],
    arrays: [0x0f, 0, 0],
    maps: [0x11, 0],
    sets: [0x12, 0],
    buffers: [0x13, 0],
    views: [0x14, 2, 0],
    errors: [0x15, 0, 0x02, 0],
    exceptions: [0x16, 0x0a, 0, 0x0a, 0],
    regexps: [0x0e, 0x0a, 0, 0x0a, 0],
    texts: [0x0a, 0],
  })) {
    const bytes = inside(item);
    const before = process.memoryUsage();
    const value = decode(bytes) as unknown[];
    const after = process.memoryUsage();
    const used = after.heapUsed - before.heapUsed + after.external - before.external;
    t.ok(used < 400 * MEBIBYTE, `${name}: ${Math.round(used / MEBIBYTE)} MiB for 1 MiB`);
    t.ok(value.length > 100_000);
  }
  t.end();
});
