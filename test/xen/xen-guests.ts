/** Domains of the test guests (test/guests), for tests that look closely at the Xen driver. */

import { detectDriver } from '../../src/drivers/detect.js';
import type { Shell } from '../../src/drivers/driver.js';
import type { NativeMachine } from '../../src/drivers/native.js';
import type { NativeShell } from '../../src/drivers/native-shell.js';
import { loadXenAddon, type XenAddon } from '../../src/drivers/xen-native.js';

/** Why the tests of this file cannot run here, or false: for tap's `skip`. */
export function xenMissing(): string | false {
  const xen = detectDriver('xen');
  return xen?.available === true ? false : `Xen: ${xen?.reason ?? 'not built'}`;
}

/** The addon that is built with HATCHERY_TEST_HOOKS. */
export function loadXenTestAddon(): XenAddon {
  return loadXenAddon('hatchery_xen_test');
}

/** What it adds to a machine; see native/xen/machine_test_hooks.cc. */
export interface XenTestMachine extends NativeMachine {
  /** Leaves parts of a rewind out: a bit mask of `OMIT`. */
  setOmit(parts: number): void;
  /** Its number in `xl list`. */
  domainId(): number;
  state(): {
    /** The vCPU's HVM save records. */
    readonly context: Uint8Array;
    /** `struct hatchery_frame`. */
    readonly frame: Uint8Array;
    readonly sharedInfo: Uint8Array;
    /** Memory that nothing may write: shared segments and page tables. */
    readonly constant: Uint8Array;
  };
  /** Numbers of the pages that differ from the snapshot's. */
  differingPages(): number[];
  /** Sets 8 bytes of the mailbox of a vCPU that waits; see `MAILBOX`. */
  writeMailbox(offset: number, value: bigint): boolean;
  /** Sends the guest an event that answers nothing. */
  notifySpuriously(): void;
  /** Gives the domain one more event channel, as a hypercall of its own would. */
  allocatePort(): number;
  /** Gives the domain one more page. */
  addPage(): void;
  /** Puts its grant table into its memory, as a hypercall of its own would. */
  mapGrantTable(): void;
  /** Shuts the domain down, as a hypercall of its own would. */
  shutDown(reason: number): void;
}

export const xenMachine = (shell: Shell) => (shell as NativeShell).native as XenTestMachine;

/** `enum PvhRewindPart` of native/xen/pvh_machine.h. */
export const OMIT = {
  guestPages: 1,
  hostPages: 2,
  generalRegisters: 4,
  vectorState: 8,
  exitCheck: 16,
  domainCheck: 32,
} as const;

/** Offsets in `struct hatchery_mailbox` of images/abi/hatchery_xen.h: its handler, and its frame's. */
export const MAILBOX = { handler: 16, rip: 4056, cs: 4064, rflags: 4072, ss: 4088 } as const;
