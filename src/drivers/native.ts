/** What the native addons of all drivers have in common (`native/machine`). */

import type { Content, Region } from './layout.js';

/** `reason` of {@link NativeMachine.run}: 0 boots, the others are `enum hatchery_resume`. */
export const RESUME = {
  boot: 0,
  request: 1,
  chunk: 2,
  continue: 3,
  completion: 4,
  timer: 5,
} as const;

/** `where` of {@link NativeMachine.run}. */
export const WHERE = { inline: 0, lane: 1, thread: 2 } as const;

/** What {@link NativeMachine.run} gives besides the ABI's hypercall numbers. */
export const EXIT_CRASH = 0x100;
export const EXIT_INTERRUPTED = 0x101;
export const EXIT_CPU = 0x102;

/** Places in {@link NativeAddon.result}; `enum ResultIndex` of native/machine/addon_data.h. */
export const RESULT = {
  payloadBytes: 0,
  logBytes: 1,
  spawnMicroseconds: 2,
  guestMicroseconds: 3,
  cpuMicroseconds: 4,
  hasRegisters: 5,
  instructionPointer: 6,
  stackPointer: 7,
  /** Set by the methods of {@link NativeMachine} that give a number of dirty pages. */
  usedPages: 8,
} as const;

/** An Error of the addon's: the system call that failed, and its errno. */
export interface NativeFailure extends Error {
  readonly call: string;
  readonly errno: number;
}

export type Callback<Value> = (error: NativeFailure | null, value: Value) => void;

export interface NativeMachine {
  /** An exit's number, or 0: it goes on on a thread and ends with the `onExit` callback. */
  run(
    reason: number,
    bytes: Uint8Array | undefined,
    milliseconds: number,
    cpuMilliseconds: number,
    where: number,
  ): number;
  onExit(callback: Callback<number>): void;
  /** Dirty pages, which were copied, or -1: the machine must not be used again. */
  rewind(pageLimit: number): number;
  capture(callback: Callback<NativeSnapshot>): void;
  joinCaptured(): boolean;
  /** Gives the dirty pages; -1 where they are not known. */
  destroy(callback: Callback<number>): void;
  crashReason(): string;
  /** By the guest, since it was created; -1 where no record is kept. */
  writtenPages(): number;
  /** Dirty pages; -1 where no record is kept. */
  memoryUse(): number;
}

export interface NativeSnapshot {
  configure(contents: readonly Content[]): NativeSnapshot;
  createMachine(options: { readonly keepLog: boolean }, callback: Callback<NativeMachine>): void;
  close(): void;
}

/** What an image becomes in a guest's memory; see `layout.ts`. */
export interface NativePlan {
  /** Guest virtual address of the first instruction. */
  readonly entry: number;
  readonly memory: Region;
  readonly shared: Region;
  /** Where the channel is in the instance's own memory. */
  readonly channel: number;
}

export interface NativeAddon {
  readonly abiVersion: number;
  /** Bytes at the start of a machine's memory that are the addon's own. */
  readonly reservedBytes: number;
  readonly channelBytes: number;
  /** The last exit; overwritten by the next of any machine. */
  readonly result: Float64Array;
  readonly payload: Uint8Array;
  readonly logs: Uint8Array;
}
