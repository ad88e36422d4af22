/** Whether a crash report can say where the guest was. */
import { openDriver } from '../../drivers/detect.js';
import type { Check } from './check.js';

/** `ud2`: a fault, hence a triple fault, at a known address. */
const CRASHING_CODE = Uint8Array.of(0x0f, 0x0b);
const CRASHING_ADDRESS = 0x0400_0000;
const PROBE_MEMORY_BYTES = 16 * 2 ** 20;
const PROBE_MILLISECONDS = 2_000;

/** Does a crash report say where the guest was? Crashes one to see. */
export async function checkCrashAddress(kvmWorks: boolean): Promise<Check> {
  const name = 'crash address';
  const remedy = 'Nothing to do: crash reports of guests do not name the place on this processor.';
  if (!kvmWorks) {
    return { name, state: 'limited', detail: 'not tried: KVM does not work', remedy: 'See kvm.' };
  }
  try {
    const address = await crashOnce();
    return address === CRASHING_ADDRESS
      ? { name, state: 'ok', detail: 'the instruction pointer survives a triple fault' }
      : {
          name,
          state: 'limited',
          detail: 'the instruction pointer does not survive a triple fault',
          remedy,
        };
  } catch (error) {
    return {
      name,
      state: 'lacking',
      detail: `a guest cannot be run: ${(error as Error).message}`,
      remedy: 'The message names the call that the hypervisor refused; please report it.',
    };
  }
}

async function crashOnce(): Promise<number | undefined> {
  const driver = openDriver('kvm');
  try {
    const snapshot = await driver.load({
      image: {
        entry: CRASHING_ADDRESS,
        segments: [
          {
            address: CRASHING_ADDRESS,
            size: CRASHING_CODE.length,
            bytes: CRASHING_CODE,
            writable: false,
            executable: true,
          },
        ],
      },
      configuration: new Map(),
      memoryBytes: PROBE_MEMORY_BYTES,
    });
    const shell = await snapshot.createShell({ reusable: false });
    const deadline = performance.now() + PROBE_MILLISECONDS;
    const exit = await shell.run(undefined, deadline, PROBE_MILLISECONDS, 'thread');
    const address = exit.fault?.instructionPointer;
    await shell.destroy();
    snapshot.close();
    return address;
  } finally {
    await driver.close();
  }
}
