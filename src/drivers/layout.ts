/**
 * Where an image, its configuration and its memory go in a guest: the ADDRESS SPACE and BOOT PAGE of
 * `images/abi/hatchery.h`. An instance's own memory is filled from the bottom: the resume stub's pages
 * (the addon's own), boot page and configuration, image, channel, stack, heap. Large read-only
 * segments go into a region that all instances share.
 */

import {
  ABI_VERSION,
  BOOT_ADDRESS,
  CHANNEL_ADDRESS,
  HEAP_ADDRESS,
  IMAGE_ADDRESS,
  MAGIC,
  PAGE_BYTES,
  STACK_TOP,
} from '../abi.js';
import { HatcheryError } from '../errors.js';
import type { Configuration, ImageSegment, LoadOptions } from './driver.js';

/** Consecutive pages that are mapped alike; addresses are multiples of the page size. */
export interface Placement {
  readonly virtualAddress: number;
  /** Counts from the start of the region. */
  readonly physicalAddress: number;
  readonly pages: number;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Pages of 2 MiB instead of 4 KiB. */
  readonly large: boolean;
}

/** Bytes that a region has from the start; the rest is zero. */
export interface Content {
  readonly physicalAddress: number;
  readonly bytes: Uint8Array;
}

export interface Region {
  readonly bytes: number;
  readonly placements: readonly Placement[];
  readonly contents: readonly Content[];
}

export interface Layout {
  /** The instance's own memory. */
  readonly memory: Region;
  /** Code and constants, the same pages for all instances. */
  readonly shared: Region;
  /** Where the channel is in the instance's own memory. */
  readonly channel: number;
  readonly configuration: ConfigurationArea;
}

/** Boot page and configuration in the instance's own memory. */
export interface ConfigurationArea {
  /**
   * What another configuration makes of it, where it was laid out for none.
   * @returns `undefined` where there is not enough room
   */
  fill(configuration: Configuration): readonly Content[] | undefined;
}

/** What a platform contributes to the layout. */
export interface Platform {
  /** Bytes at the bottom of physical memory that are the addon's own. */
  readonly reservedBytes: number;
  readonly channelBytes: number;
  readonly tscHertz: number;
  /** Whether the heap is worth large pages, as far as they fit. */
  readonly largeHeap: boolean;
}

const LARGE_PAGE_BYTES = 2 << 20;
const SMALLEST_LARGE_SEGMENT_BYTES = 256 << 10;

const LARGEST_STACK_BYTES = 8 << 20;
/** What is left for the heap must at least be this, or the image is not worth starting. */
const SMALLEST_HEAP_BYTES = 1 << 20;

const roundUp = (bytes: number, unit: number) => Math.ceil(bytes / unit) * unit;
const roundDown = (bytes: number, unit: number) => Math.floor(bytes / unit) * unit;

/** @throws HatcheryError CONFIGURATION_INVALID when the memory cannot hold it all. */
export function layOut(options: LoadOptions, platform: Platform): Layout {
  const { image, configuration, memoryBytes } = options;
  const memory = new RegionPlan(platform.reservedBytes);
  const shared = new RegionPlan(0);

  const items = encodeConfiguration(configuration);
  const room = Math.max(items.length, options.configurationRoom ?? 0);
  if (PAGE_BYTES + room > IMAGE_ADDRESS - BOOT_ADDRESS) {
    throw tooLarge('the code and the environment of the function are larger than 62 MiB');
  }
  const boot = memory.place(BOOT_ADDRESS, PAGE_BYTES + room, READ_ONLY);
  for (const segment of image.segments) {
    const large = !segment.writable && hasLargePagesToItself(segment, image.segments);
    (large ? shared : memory).placeSegment(segment, large);
  }
  const channel = memory.place(CHANNEL_ADDRESS, platform.channelBytes, READ_WRITE);
  const stackBytes = roundUp(Math.min(LARGEST_STACK_BYTES, memoryBytes / 8), PAGE_BYTES);
  memory.place(STACK_TOP - stackBytes, stackBytes, READ_WRITE);
  const heapBytes = memoryBytes - memory.bytes;
  if (heapBytes < SMALLEST_HEAP_BYTES) {
    throw tooLarge(
      `${memoryBytes} bytes cannot hold the image and the function; ` +
        `at least ${memory.bytes + SMALLEST_HEAP_BYTES} are needed`,
    );
  }
  memory.placeHeap(heapBytes, platform.largeHeap);

  const { tscHertz } = platform;
  const contentsOf = (encoded: Uint8Array): Content[] => {
    const configurationBytes = encoded.length;
    const page = { memoryBytes, heapBytes, stackBytes, configurationBytes, tscHertz };
    return [
      { physicalAddress: boot, bytes: encodeBootPage(page) },
      { physicalAddress: boot + PAGE_BYTES, bytes: encoded },
    ];
  };
  memory.contents.push(...contentsOf(items));
  const fill = (other: Configuration) => {
    const encoded = encodeConfiguration(other);
    return encoded.length > room ? undefined : contentsOf(encoded);
  };
  return { memory, shared, channel, configuration: { fill } };
}

type Rights = Pick<Placement, 'writable' | 'executable'>;
const READ_ONLY: Rights = { writable: false, executable: false };
const READ_WRITE: Rights = { writable: true, executable: false };

/** A region that is filled from the bottom. */
class RegionPlan implements Region {
  readonly placements: Placement[] = [];
  readonly contents: Content[] = [];

  /** @param bytes how much of it is taken at first */
  constructor(public bytes: number) {}

  /** Maps the next free pages; returns their physical address. */
  place(virtualAddress: number, size: number, rights: Rights, large = false): number {
    const physicalAddress = this.bytes;
    const pageBytes = large ? LARGE_PAGE_BYTES : PAGE_BYTES;
    const pages = Math.ceil(size / pageBytes);
    const { writable, executable } = rights;
    this.placements.push({ virtualAddress, physicalAddress, pages, writable, executable, large });
    this.bytes += pages * pageBytes;
    return physicalAddress;
  }

  /**
   * Maps all that is left. Large pages come first in the heap, so that the pages before the first
   * boundary of one, and those behind the last, are its end.
   */
  placeHeap(size: number, large: boolean): void {
    const end = this.bytes + size;
    const start = roundUp(this.bytes, LARGE_PAGE_BYTES);
    const largeBytes = large ? Math.max(0, roundDown(end - start, LARGE_PAGE_BYTES)) : 0;
    const before = largeBytes > 0 ? start - this.bytes : size;
    if (before > 0) {
      this.place(HEAP_ADDRESS + largeBytes, before, READ_WRITE);
    }
    if (largeBytes > 0) {
      this.place(HEAP_ADDRESS, largeBytes, READ_WRITE, true);
    }
    if (this.bytes < end) {
      this.place(HEAP_ADDRESS + largeBytes + before, end - this.bytes, READ_WRITE);
    }
  }

  placeSegment(segment: ImageSegment, large: boolean): void {
    const intoPage = segment.address % (large ? LARGE_PAGE_BYTES : PAGE_BYTES);
    const start = this.place(segment.address - intoPage, intoPage + segment.size, segment, large);
    this.contents.push({ physicalAddress: start + intoPage, bytes: segment.bytes });
  }
}

/**
 * Whether no other segment is in the large pages that this one touches. A small segment is not worth
 * a large page: every snapshot would hold one for it.
 */
function hasLargePagesToItself(segment: ImageSegment, all: readonly ImageSegment[]): boolean {
  const firstPage = ({ address }: ImageSegment) => Math.floor(address / LARGE_PAGE_BYTES);
  const lastPage = ({ address, size }: ImageSegment) =>
    Math.floor((address + size - 1) / LARGE_PAGE_BYTES);
  return (
    segment.size >= SMALLEST_LARGE_SEGMENT_BYTES &&
    all.every(
      (other) =>
        other === segment ||
        lastPage(other) < firstPage(segment) ||
        firstPage(other) > lastPage(segment),
    )
  );
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
