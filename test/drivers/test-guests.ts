/** Machines of the test guests (test/guests), for tests that look closely at a driver. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { detectDriver } from '../../src/drivers/detect.js';
import type { Driver, Exit, Shell, Snapshot } from '../../src/drivers/driver.js';
import { type KvmAddon, loadKvmAddon } from '../../src/drivers/kvm-native.js';
import type { NativeAddon, NativeMachine } from '../../src/drivers/native.js';
import type { NativeShell } from '../../src/drivers/native-shell.js';
import { parseElf } from '../../src/image/elf.js';
import { milliseconds } from './driver-under-test.js';

/** Why the tests of this file cannot run here, or false: for tap's `skip`. */
export function kvmMissing(): string | false {
  const kvm = detectDriver('kvm');
  return kvm?.available === true ? false : `needs KVM: ${kvm?.reason ?? 'not built'}`;
}

/** The addon that is built with HATCHERY_TEST_HOOKS, and what it adds to a machine. */
export function loadTestAddon(): KvmAddon {
  return loadKvmAddon('hatchery_kvm_test');
}

/** System calls that fail on demand; see native/machine/faults.h. For the whole process. */
export interface Faults {
  /** Forgets what was recorded. */
  record(): void;
  /** Names of the calls since then, and how often each was made. */
  recorded(): Record<string, number>;
  /** Makes call `number`, counting from 1 now, fail once with `errno`. */
  inject(call: string, number: number, errno: number): void;
  /** Whether that has happened; withdraws it. */
  injected(): boolean;
}

export function faultsOf(addon: NativeAddon): Faults {
  return (addon as NativeAddon & { readonly faults: Faults }).faults;
}

export interface TestMachine extends NativeMachine {
  /** Leaves parts of a rewind out: a bit mask of `OMIT`. */
  setOmit(parts: number): void;
  /** Makes the next run stop right behind the resume stub's XRSTOR. */
  probeNext(): void;
  /** Leaves an exception waiting to be delivered. */
  disturbEvents(): void;
  /** Every part of the vCPU's state as the kernel lays it out, and the page tables. */
  state(): Record<string, Uint8Array>;
  /** Numbers of the pages that differ from the snapshot's. */
  differingPages(): number[];
}

export const testMachine = (shell: Shell) => (shell as NativeShell).native as TestMachine;

/** `enum RewindPart` of native/kvm/kvm_machine.h. */
export const OMIT = {
  guestPages: 1,
  hostPages: 2,
  generalRegisters: 4,
  specialRegisters: 8,
  events: 16,
  vectorState: 32,
  exitCheck: 64,
} as const;

/** What the guest made of a PROBE: `Exit.kind` has no name for it. */
export const PROBE_CODE = 255;

const SOURCE_FOLDER = fileURLToPath(new URL('../../../test/guests', import.meta.url));

/** Where they are built already, for a machine without a compiler: the lab's Dom0. */
const BUILT_FOLDER = process.env.HATCHERY_TEST_GUESTS;

/** All test guests, built into a folder of their own; `remove` deletes it. */
export class TestGuests {
  readonly #folder = BUILT_FOLDER ?? mkdtempSync(join(tmpdir(), 'hatchery-guests-'));

  constructor() {
    if (BUILT_FOLDER === undefined) {
      execFileSync(join(SOURCE_FOLDER, 'build.sh'), [this.#folder], { stdio: 'inherit' });
    }
  }

  image(name: string) {
    return parseElf(this.file(name), name);
  }

  /** The image as it is in its file. */
  file(name: string): Buffer {
    return readFileSync(this.path(`${name}.elf`));
  }

  /** Where a file of that name is: a guest's image, or a program of test/xen/programs. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  remove(): void {
    if (BUILT_FOLDER === undefined) {
      rmSync(this.#folder, { recursive: true });
    }
  }
}

export const MEMORY_BYTES = 16 << 20;

export const soon = () => performance.now() + milliseconds(5000);

/** Processor time that no run of these tests uses up, milliseconds. */
export const AMPLE = milliseconds(5000);

/** Loads a guest, and boots it to its snapshot point. */
export async function bootedShell(
  driver: Driver,
  image: ReturnType<typeof parseElf>,
): Promise<Shell> {
  const cold = await driver.load({ image, configuration: new Map(), memoryBytes: MEMORY_BYTES });
  const shell = await cold.createShell({ reusable: false });
  cold.close();
  const exit = await shell.run(undefined, soon(), AMPLE, 'thread');
  if (exit.kind !== 'ready') {
    throw new Error(`the guest did not get ready: ${exit.kind} ${exit.fault?.reason ?? ''}`);
  }
  return shell;
}

/** The same, captured. */
export async function readySnapshot(
  driver: Driver,
  image: ReturnType<typeof parseElf>,
): Promise<Snapshot> {
  const shell = await bootedShell(driver, image);
  const snapshot = await shell.capture();
  await shell.destroy();
  return snapshot;
}

/** A request frame with nothing but a body. */
export function requestFrame(body: Uint8Array): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(body.length, 4);
  return Buffer.concat([header, body]);
}

export async function serve(shell: Shell, bytes: Uint8Array): Promise<Exit> {
  return shell.run({ reason: 'request', bytes }, soon(), AMPLE, 'inline');
}
