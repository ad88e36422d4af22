/**
 * Numbers of the guest ABI that several parts need. The header `images/abi/hatchery.h` is the
 * specification; test/channel/constants.test.ts compares the two.
 */

export const ABI_VERSION = 1;
export const MAGIC = 0x3159524843544148n;
export const NOTE_ABI = 1;
export const NOTE_UNCONFIGURED = 2;
export const PAGE_BYTES = 4096;

export const BOOT_ADDRESS = 0x00200000;
export const IMAGE_ADDRESS = 0x04000000;
export const IMAGE_END = 0x40000000;
export const PLATFORM_ADDRESS = 0xffffffff80000000n;
export const CHANNEL_ADDRESS = 0x50000000;
export const STACK_TOP = 0x70000000;
export const HEAP_ADDRESS = 0x100000000;
