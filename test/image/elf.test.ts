/** The image reader takes what the ABI allows and refuses the rest, whatever the bytes are. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { HatcheryError } from '../../src/errors.js';
import { parseElf } from '../../src/image/elf.js';

const hello = readFileSync(fileURLToPath(new URL('../../images/hello.elf', import.meta.url)));

/** A copy of the image with some bytes changed. */
function patched(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(hello);
  change(bytes);
  return bytes;
}

const FIRST_PROGRAM_HEADER = 64;
const PROGRAM_HEADER_BYTES = 56;

t.test('reads an image', (t) => {
  const image = parseElf(hello, 'hello');
  t.equal(image.entry, 0x04000000);
  t.equal(image.symbolAt(image.entry), '_start');
  t.match(image.symbolAt(image.entry + 2), '_start+0x2');
  t.equal(image.symbolAt(0x100), undefined);
  t.ok(image.segments.every(({ writable, executable }) => !(writable && executable)));
  t.end();
});

/** The program headers: where each is in the file, and its type and address. */
function programHeaders(bytes: Buffer) {
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, index) => {
    const at = FIRST_PROGRAM_HEADER + index * PROGRAM_HEADER_BYTES;
    return { at, type: bytes.readUInt32LE(at), address: bytes.readBigUInt64LE(at + 16) };
  });
}

t.test('reads all notes, in any order', (t) => {
  t.equal(parseElf(hello, 'hello').startsUnconfigured, false);
  const { at } = programHeaders(hello).find(({ type }) => type === 4) ?? { at: 0 };
  const [offset, bytes] = [Number(hello.readBigUInt64LE(at + 8)), hello.readBigUInt64LE(at + 32)];
  const abi = hello.subarray(offset, offset + Number(bytes));
  const note = (name: string, type: number, description = Buffer.alloc(0)) => {
    const header = Buffer.alloc(12);
    header.writeUInt32LE(name.length, 0);
    header.writeUInt32LE(description.length, 4);
    header.writeUInt32LE(type, 8);
    return Buffer.concat([header, Buffer.from(name.padEnd(12, '\0')), description]);
  };
  const withNotes = (...notes: Buffer[]) => {
    const segment = Buffer.concat(notes);
    const file = Buffer.concat([hello, segment]);
    file.writeBigUInt64LE(BigInt(hello.length), at + 8);
    file.writeBigUInt64LE(BigInt(segment.length), at + 32);
    return parseElf(file, 'noted');
  };
  const unconfigured = note('Hatchery\0', 2);
  const other = note('GNU\0\0\0\0\0\0', 2, Buffer.from('some'));
  t.equal(withNotes(other, unconfigured, abi).startsUnconfigured, true);
  t.equal(withNotes(abi, unconfigured).startsUnconfigured, true);
  t.equal(withNotes(abi, other).startsUnconfigured, false, 'the name counts');
  t.throws(() => withNotes(unconfigured), { code: 'IMAGE_INVALID', message: /no ABI note/ });
  t.throws(() => withNotes(unconfigured.subarray(0, 20), abi), { code: 'IMAGE_INVALID' });
  const huge = note('Hatchery\0', 2);
  huge.writeUInt32LE(0xffffffff, 4);
  t.throws(() => withNotes(huge, abi), { code: 'IMAGE_INVALID' }, 'a length beyond the segment');
  t.end();
});

t.test("leaves out a platform's own segments", (t) => {
  const platforms = programHeaders(hello).filter(
    ({ type, address }) => type === 1 && address >= 0xffffffff80000000n,
  );
  t.equal(platforms.length, 2, 'code and data for Xen');
  const image = parseElf(hello, 'hello');
  t.ok(image.segments.every(({ address }) => address < 0x40000000));
  const without = patched((b) => {
    for (const { at } of platforms) b.writeUInt32LE(0, at);
  });
  t.strictSame(
    parseElf(without, 'hello without Xen').segments,
    image.segments,
    'an image needs none',
  );
  t.end();
});

t.test('refuses a segment just below the platforms', (t) => {
  const below = patched((b) => {
    const text = programHeaders(b).find(({ address }) => address >= 0xffffffff80000000n);
    b.writeBigUInt64LE(0xffffffff7ffff000n, (text?.at ?? 0) + 16);
  });
  t.throws(() => parseElf(below, 'bad'), { code: 'IMAGE_INVALID', message: /out of range/ });
  t.end();
});

const refusals: [string, Buffer, RegExp][] = [
  ['an empty file', Buffer.alloc(0), /truncated/],
  ['something else', Buffer.alloc(200, 'x'), /not an ELF/],
  ['half an image', hello.subarray(0, 4096), /truncated/],
  ['another machine', patched((b) => b.writeUInt16LE(183, 18)), /x86-64/],
  ['a position-independent one', patched((b) => b.writeUInt16LE(3, 16)), /executable/],
  ['an entry outside the code', patched((b) => b.writeBigUInt64LE(0x5000000n, 24)), /entry/],
  [
    'a segment at page zero',
    patched((b) => b.writeBigUInt64LE(0n, FIRST_PROGRAM_HEADER + 16)),
    /image range/,
  ],
  [
    'code that can be written',
    patched((b) => b.writeUInt32LE(7, FIRST_PROGRAM_HEADER + 4)),
    /writable and executable/,
  ],
  [
    'segments in one page',
    patched((b) =>
      b.writeBigUInt64LE(0x04000800n, FIRST_PROGRAM_HEADER + PROGRAM_HEADER_BYTES + 16),
    ),
    /share a page/,
  ],
  ['no note', patched((b) => b.write('Nobody', b.indexOf('Hatchery\0'))), /no ABI note/],
  [
    'another ABI',
    patched((b) => b.writeUInt32LE(2, b.indexOf('Hatchery\0') + 12)),
    /ABI version 2, this host speaks/,
  ],
  [
    'a dynamic one',
    patched((b) => b.writeUInt32LE(3, FIRST_PROGRAM_HEADER + 3 * PROGRAM_HEADER_BYTES)),
    /dynamically/,
  ],
  [
    'an address that no double holds',
    patched((b) => b.writeBigUInt64LE(2n ** 63n, FIRST_PROGRAM_HEADER + 40)),
    /out of range/,
  ],
];

for (const [name, bytes, reason] of refusals) {
  t.test(`refuses ${name}`, (t) => {
    t.throws(() => parseElf(bytes, 'bad'), { code: 'IMAGE_INVALID', message: reason });
    t.end();
  });
}

t.test('throws nothing else, whatever is changed', (t) => {
  const changes = fc.array(
    fc.tuple(fc.integer({ min: 0, max: hello.length - 1 }), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 20 },
  );
  // Most of what matters is in the first kilobyte: change that more often.
  const early = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(fc.oneof(changes, early), fc.integer({ min: 0, max: hello.length }), (all, cut) => {
      const bytes = patched((b) => {
        for (const [at, value] of all) b[at] = value;
      });
      for (const candidate of [bytes, bytes.subarray(0, cut)]) {
        try {
          parseElf(candidate).symbolAt(0x04000000);
        } catch (error) {
          if (!(error instanceof HatcheryError)) throw error;
        }
      }
    }),
    { numRuns: 2000 },
  );
  t.pass();
  t.end();
});
