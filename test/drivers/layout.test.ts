/** Where things go in a guest's memory: the promises of ADDRESS SPACE in the ABI, for any image. */

import fc from 'fast-check';
import t from 'tap';
import type { ImageSegment } from '../../src/drivers/driver.js';
import { encodeConfiguration, layOut, type Region } from '../../src/drivers/layout.js';
import { HatcheryError } from '../../src/errors.js';

const PAGE_BYTES = 4096;
const LARGE_PAGE_BYTES = 2 << 20;
const platform = {
  reservedBytes: 5 * PAGE_BYTES,
  channelBytes: 0x90000,
  tscHertz: 2e9,
  largeHeap: true,
};

const segments = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 0, max: 600 }),
      intoPage: fc.integer({ min: 0, max: PAGE_BYTES - 1 }),
      size: fc.integer({ min: 1, max: 100 * PAGE_BYTES }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      rights: fc.constantFrom('code', 'data', 'constants'),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((shapes) => {
    let next = 0x04000000;
    return shapes.map(({ gap, intoPage, size, share, rights }): ImageSegment => {
      const address = next + gap * PAGE_BYTES + intoPage;
      next = Math.ceil((address + size) / PAGE_BYTES) * PAGE_BYTES;
      return {
        address,
        size,
        bytes: new Uint8Array(Math.floor(size * share)),
        writable: rights === 'data',
        executable: rights === 'code',
      };
    });
  });

const configuration = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z]{1,20}$/), fc.uint8Array({ maxLength: 9000 })))
  .map((items) => new Map(items));

t.test('a layout', (t) => {
  fc.assert(
    fc.property(
      segments,
      configuration,
      fc.integer({ min: 1, max: 4096 }),
      (image, items, pages) => {
        const memoryBytes = pages * PAGE_BYTES;
        const options = {
          image: { entry: 0x04000000, segments: image },
          configuration: items,
          memoryBytes,
        };
        let layout: ReturnType<typeof layOut>;
        try {
          layout = layOut(options, platform);
        } catch (error) {
          return error instanceof HatcheryError && error.code === 'CONFIGURATION_INVALID';
        }
        const { memory, shared } = layout;
        const filledFrom = (region: Region, start: number) => {
          let end = start;
          for (const { physicalAddress, pages, large } of region.placements) {
            if (physicalAddress !== end) return -1;
            end += pages * (large ? LARGE_PAGE_BYTES : PAGE_BYTES);
          }
          return end;
        };
        const all = [...memory.placements, ...shared.placements];
        const rightsKept =
          all.every(({ writable, executable }) => !(writable && executable)) &&
          shared.placements.every(({ writable, large }) => large && !writable);
        const virtual = all.sort((a, b) => a.virtualAddress - b.virtualAddress);
        const overlaps = virtual.some((placement, index) => {
          const before = virtual[index - 1];
          return (
            before !== undefined &&
            before.virtualAddress + before.pages * (before.large ? LARGE_PAGE_BYTES : PAGE_BYTES) >
              placement.virtualAddress
          );
        });
        const contentsInside =
          memory.contents.every(
            ({ physicalAddress, bytes }) =>
              physicalAddress >= platform.reservedBytes &&
              physicalAddress + bytes.length <= layout.channel,
          ) &&
          shared.contents.every(
            ({ physicalAddress, bytes }) => physicalAddress + bytes.length <= shared.bytes,
          );
        return (
          filledFrom(memory, platform.reservedBytes) === memoryBytes &&
          filledFrom(shared, 0) === shared.bytes &&
          !overlaps &&
          rightsKept &&
          contentsInside
        );
      },
    ),
  );
  t.pass('has no overlap and no gap, for any image and memory');
  t.end();
});

t.test('configuration items are padded to 8 and end in NULs', (t) => {
  const items = encodeConfiguration(new Map([['ab', Buffer.from('xyz')]]));
  t.same(
    Buffer.from(items),
    Buffer.concat([Buffer.from([2, 0, 0, 0, 3, 0, 0, 0]), Buffer.from('ab\0xyz\0\0')]),
  );
  t.end();
});
