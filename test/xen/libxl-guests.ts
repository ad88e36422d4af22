/** Guests for the tests of libxl: Debian's grub, which waits at a prompt on its console. */

import { once } from 'node:events';
import type { Test } from 'tap';
import type { DomainConsole } from '../../src/xen/console.js';
import { Libxl } from '../../src/xen/libxl.js';
import type { DomainConfig } from '../../src/xen/libxl-config.js';
import { type LibxlFailure, libxlFailure } from '../../src/xen/libxl-failure.js';

const GRUB = {
  pv: '/usr/lib/grub-xen/grub-x86_64-xen.bin',
  pvh: '/usr/lib/grub-xen/grub-i386-xen_pvh.bin',
} as const;

/** For a whole file of tests: guests run in emulation within emulation. */
export const PATIENCE_MILLISECONDS = 240_000;

/** For one line on a console: a whole Linux boots before some. */
const SCREEN_MILLISECONDS = 90_000;

export const GRUB_KIBIBYTES = 64 * 1024;

/** Without a device and without a driver in the guest that answers xenbus. */
export function grubConfig(type: 'pv' | 'pvh', name: string): DomainConfig {
  return {
    c_info: { type, name },
    b_info: {
      kernel: GRUB[type],
      max_vcpus: 1,
      max_memkb: GRUB_KIBIBYTES,
      target_memkb: GRUB_KIBIBYTES,
      // The lab's emulated processor needs it.
      tsc_mode: 'native',
    },
    on_poweroff: 'preserve',
  };
}

/** What a console prints, as far as it is known. */
export class Screen {
  readonly console: DomainConsole;
  text = '';
  readonly #ended: Promise<never>;

  constructor(console: DomainConsole) {
    this.console = console;
    this.#ended = new Promise((_, reject) => {
      console.once('end', () => reject(new Error(`the console ended: ${this.text}`)));
    });
    this.#ended.catch(() => {});
    console.on('data', (bytes) => {
      this.text += bytes;
    });
  }

  /** Until it has printed this behind what was seen before. */
  async waitFor(pattern: RegExp): Promise<void> {
    const over = AbortSignal.timeout(SCREEN_MILLISECONDS);
    while (!pattern.test(this.text)) {
      try {
        await Promise.race([once(this.console, 'data', { signal: over }), this.#ended]);
      } catch (error) {
        if (!over.aborted) {
          throw error;
        }
        throw new Error(`the console did not show ${pattern}, but: ${this.text.slice(-2000)}`);
      }
    }
    this.text = this.text.replace(pattern, '');
  }
}

/** For all tests of a file, which leave no domain to each other. */
export async function libxlFor(t: Test): Promise<Libxl> {
  const libxl = await Libxl.open();
  t.setTimeout(PATIENCE_MILLISECONDS);
  t.teardown(() => libxl.close());
  t.afterEach(() => destroyAll(libxl));
  return libxl;
}

/** Destroys whatever a test has left, so that the next one finds Dom0 alone. */
export async function destroyAll(libxl: Libxl): Promise<void> {
  for (const { domid, dying } of await libxl.listDomains()) {
    if (domid !== 0 && !dying) {
      await libxl.destroyDomain(domid).catch(async (error) => {
        // A keeper may have done it since the list was made.
        if (await libxl.isAlive(domid)) {
          throw error;
        }
      });
    }
  }
}

/** What libxl says of an operation that must fail. */
export async function failureOf(operation: Promise<unknown>): Promise<LibxlFailure> {
  try {
    await operation;
  } catch (error) {
    const failure = libxlFailure(error);
    if (failure !== undefined) {
      return failure;
    }
    throw error;
  }
  throw new Error('it did not fail');
}

export const saidIn = ({ log }: LibxlFailure): string => log.map(({ text }) => text).join('\n');
