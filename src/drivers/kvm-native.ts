/** The native addon of the KVM driver (`native/kvm`): its shape, and how it is found. */

import { loadAddon } from '../native-addon.js';
import type { Region } from './layout.js';

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

/** Places in {@link KvmAddon.result}; `enum ResultIndex` of native/kvm/addon_data.h. */
export const RESULT = {
  payloadBytes: 0,
  logBytes: 1,
  spawnMicroseconds: 2,
  guestMicroseconds: 3,
  cpuMicroseconds: 4,
  hasRegisters: 5,
  instructionPointer: 6,
  stackPointer: 7,
} as const;

/** An Error of the addon's: the system call that failed, and its errno. */
export interface NativeFailure extends Error {
  readonly call: string;
  readonly errno: number;
}

type Callback<Value> = (error: NativeFailure | null, value: Value) => void;

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
  /** Pages copied, or -1: the machine must not be used again. */
  rewind(pageLimit: number): number;
  capture(callback: Callback<NativeSnapshot>): void;
  destroy(callback: () => void): void;
  crashReason(): string;
  /** Since it was created; -1 where no record is kept. */
  writtenPages(): number;
}

export interface NativeSnapshot {
  createMachine(
    options: { readonly keepLog: boolean; readonly channel: number },
    callback: Callback<NativeMachine>,
  ): void;
  close(): void;
}

export interface KvmAddon {
  readonly abiVersion: number;
  readonly resumeBytes: number;
  readonly channelBytes: number;
  /** The last exit; overwritten by the next of any machine. */
  readonly result: Float64Array;
  readonly payload: Uint8Array;
  readonly logs: Uint8Array;
  /** Opens /dev/kvm and tries a machine; throws a {@link NativeFailure}. */
  probe(): { readonly tscHertz: number; readonly reportsXsave: boolean };
  load(plan: {
    readonly entry: number;
    readonly memory: Region;
    readonly shared: Region;
  }): NativeSnapshot;
}

/** @throws HatcheryError ADDON_MISSING */
export function loadKvmAddon(name = 'hatchery_kvm'): KvmAddon {
  return loadAddon(name) as KvmAddon;
}
