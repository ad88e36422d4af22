/**
 * Where an image, its configuration and its memory go in a guest: the ADDRESS SPACE and BOOT PAGE of
 * `images/abi/hatchery.h`. Physical memory is filled from the bottom: the resume stub's pages (the
 * addon's own), boot page and configuration, image, channel, stack, heap.
 */

import { HatcheryError } from '../errors.js';
import { ABI_VERSION } from '../image/elf.js';
import type { Configuration, ImageSegment, LoadOptions } from './driver.js';

/** Consecutive pages that are mapped alike; addresses are multiples of 4096. */
export interface Placement {
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly pages: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

/** Bytes that physical memory has from the start; the rest is zero. */
export interface Content {
  readonly physicalAddress: number;
  readonly bytes: Uint8Array;
}

export interface Layout {
  readonly placements: Placement[];
  readonly contents: Content[];
  /** Where the channel is in physical memory. */
  readonly channel: number;
}

/** What a platform contributes to the layout. */
export interface Platform {
  /** Bytes at the bottom of physical memory that are the addon's own. */
  readonly reservedBytes: number;
  readonly channelBytes: number;
  readonly tscHertz: number;
}

const PAGE_BYTES = 4096;
const BOOT_ADDRESS = 0x00200000;
const BOOT_END = 0x04000000;
const CHANNEL_ADDRESS = 0x50000000;
const STACK_TOP = 0x70000000;
const HEAP_ADDRESS = 0x100000000;
const MAGIC = 0x3159524843544148n;

const LARGEST_STACK_BYTES = 8 << 20;
/** What is left for the heap must at least be this, or the image is not worth starting. */
const SMALLEST_HEAP_BYTES = 1 << 20;

const roundUpToPages = (bytes: number) => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** @throws HatcheryError CONFIGURATION_INVALID when the memory cannot hold it all. */
export function layOut(options: LoadOptions, platform: Platform): Layout {
  const { image, configuration, memoryBytes } = options;
  const placements: Placement[] = [];
  const contents: Content[] = [];
  let next = platform.reservedBytes;

  const place = (virtualAddress: number, bytes: number, rights: Rights): number => {
    const physicalAddress = next;
    const pages = roundUpToPages(bytes) / PAGE_BYTES;
    placements.push({ virtualAddress, physicalAddress, pages, ...rights });
    next += pages * PAGE_BYTES;
    return physicalAddress;
  };

  const items = encodeConfiguration(configuration);
  if (PAGE_BYTES + items.length > BOOT_END - BOOT_ADDRESS) {
    throw tooLarge('the code and the environment of the function are larger than 62 MiB');
  }
  const boot = place(BOOT_ADDRESS, PAGE_BYTES + items.length, READ_ONLY);
  for (const segment of image.segments) {
    contents.push(placeSegment(segment, place));
  }
  const channel = place(CHANNEL_ADDRESS, platform.channelBytes, READ_WRITE);
  const stackBytes = roundUpToPages(Math.min(LARGEST_STACK_BYTES, memoryBytes / 8));
  place(STACK_TOP - stackBytes, stackBytes, READ_WRITE);
  const heapBytes = memoryBytes - next;
  if (heapBytes < SMALLEST_HEAP_BYTES) {
    throw tooLarge(
      `${memoryBytes} bytes cannot hold the image and the function; ` +
        `at least ${next + SMALLEST_HEAP_BYTES} are needed`,
    );
  }
  place(HEAP_ADDRESS, heapBytes, READ_WRITE);

  const bootPage = encodeBootPage({
    memoryBytes,
    heapBytes,
    stackBytes,
    configurationBytes: items.length,
    tscHertz: platform.tscHertz,
  });
  contents.push({ physicalAddress: boot, bytes: bootPage });
  contents.push({ physicalAddress: boot + PAGE_BYTES, bytes: items });
  return { placements, contents, channel };
}

type Rights = Pick<Placement, 'writable' | 'executable'>;
const READ_ONLY: Rights = { writable: false, executable: false };
const READ_WRITE: Rights = { writable: true, executable: false };

function placeSegment(
  segment: ImageSegment,
  place: (virtualAddress: number, bytes: number, rights: Rights) => number,
): Content {
  const intoPage = segment.address % PAGE_BYTES;
  const physicalAddress = place(segment.address - intoPage, intoPage + segment.size, segment);
  return { physicalAddress: physicalAddress + intoPage, bytes: segment.bytes };
}

function tooLarge(problem: string): HatcheryError {
  return new HatcheryError('CONFIGURATION_INVALID', { path: 'limits.memoryBytes', problem });
}

interface BootPage {
  readonly memoryBytes: number;
  readonly heapBytes: number;
  readonly stackBytes: number;
  readonly configurationBytes: number;
  readonly tscHertz: number;
}

/** `struct hatchery_boot`. */
function encodeBootPage(page: BootPage): Uint8Array {
  const view = new DataView(new ArrayBuffer(56));
  view.setBigUint64(0, MAGIC, true);
  view.setUint32(8, ABI_VERSION, true);
  const fields = [
    page.memoryBytes,
    page.heapBytes,
    page.stackBytes,
    page.configurationBytes,
    page.tscHertz,
  ];
  fields.forEach((field, index) => {
    view.setBigUint64(16 + index * 8, BigInt(field), true);
  });
  return new Uint8Array(view.buffer);
}

/** Rows of `struct hatchery_item`, name, NUL, value, NUL, padding to 8. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const parts: Buffer[] = [];
  for (const [name, value] of configuration) {
    const sizes = Buffer.alloc(8);
    sizes.writeUInt32LE(name.length, 0);
    sizes.writeUInt32LE(value.length, 4);
    const used = 8 + name.length + 1 + value.length + 1;
    const padding = Buffer.alloc(1 + ((8 - (used % 8)) % 8));
    parts.push(sizes, Buffer.from(`${name}\0`, 'latin1'), Buffer.from(value), padding);
  }
  return Buffer.concat(parts);
}
