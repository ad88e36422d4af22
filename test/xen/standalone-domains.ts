/** Domains made of an image's file alone, without a host of Hatchery's. */

import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libxl } from '../../src/xen/libxl.js';
import { Screen } from './libxl-guests.js';

export type DomainType = 'pv' | 'pvh';
export const DOMAIN_TYPES: readonly DomainType[] = ['pv', 'pvh'];

export interface StandaloneOptions {
  readonly type: DomainType;
  /** The image's file. */
  readonly kernel: string;
  readonly mebibytes: number;
  readonly commandLine?: string;
  /** What `ramdisk` names: rows of configuration items. */
  readonly module?: Uint8Array;
}

/** What became of a domain: shut down, crashed, or still there. */
export type Ending = 'powered off' | 'crashed' | 'waits';

export interface Standalone {
  readonly console: string;
  readonly ending: Ending;
}

/** For one domain: it runs in emulation within emulation. */
const PATIENCE_MILLISECONDS = 60_000;
const LOOK_MILLISECONDS = 20;
/** The console's daemon may be behind the domain's end: by how much at most, and how long it may pause. */
const CONSOLE_DELAY_MILLISECONDS = 5000;
const CONSOLE_PAUSE_MILLISECONDS = 200;

let created = 0;

/** Where a file for a domain is; its module is written beside. */
function filesOf(folder: string, { kernel, module }: StandaloneOptions) {
  if (!existsSync(kernel)) {
    throw new Error(`${kernel} is not built`);
  }
  const ramdisk = module && join(folder, 'module');
  if (module !== undefined && ramdisk !== undefined) {
    writeFileSync(ramdisk, module);
  }
  return { kernel: resolve(kernel), ramdisk };
}

/** Until the console has said something, and no more comes. */
async function settled(screen: Screen): Promise<void> {
  const deadline = performance.now() + CONSOLE_DELAY_MILLISECONDS;
  let before: string | undefined;
  while (performance.now() < deadline && (screen.text === '' || screen.text !== before)) {
    before = screen.text;
    await sleep(CONSOLE_PAUSE_MILLISECONDS);
  }
}

/** By libxl, in this process: much faster than `xl`. */
async function create(libxl: Libxl, folder: string, options: StandaloneOptions, name: string) {
  const { kernel, ramdisk } = filesOf(folder, options);
  return libxl.createDomain({
    c_info: { type: options.type, name },
    b_info: {
      kernel,
      ...(ramdisk === undefined ? {} : { ramdisk }),
      cmdline: options.commandLine ?? '',
      max_vcpus: 1,
      max_memkb: options.mebibytes * 1024,
      target_memkb: options.mebibytes * 1024,
    },
    on_poweroff: 'preserve',
    on_crash: 'preserve',
  });
}

/** By `xl create`: paused (-p), and not monitored (-e). */
async function createByXl(libxl: Libxl, folder: string, options: StandaloneOptions, name: string) {
  const { kernel } = filesOf(folder, options);
  const file = join(folder, `${name}.cfg`);
  const lines = [
    `name = "${name}"`,
    `type = "${options.type}"`,
    `kernel = "${kernel}"`,
    `memory = ${options.mebibytes}`,
    // Else libxl reserves too little for the page tables of so small a PVH domain (ENOMEM).
    'vcpus = 1',
    `cmdline = "${options.commandLine ?? ''}"`,
    'on_poweroff = "preserve"',
    'on_crash = "preserve"',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  execFileSync('xl', ['create', '-q', '-e', '-p', file]);
  const domid = await libxl.findDomain(name);
  if (domid === undefined) {
    throw new Error(`xl made no ${name}`);
  }
  return domid;
}

/** Runs it until it shuts down or, where `until` is given, has said that; then destroys it. */
export async function runStandalone(
  libxl: Libxl,
  folder: string,
  options: StandaloneOptions,
  { until, by = 'libxl' }: { until?: RegExp; by?: 'libxl' | 'xl' } = {},
): Promise<Standalone> {
  const name = `standalone-${options.type}-${created++}`;
  const domid = await (by === 'xl' ? createByXl : create)(libxl, folder, options, name);
  try {
    const screen = new Screen(await libxl.openConsole(domid));
    await libxl.unpauseDomain(domid);
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    let info = await libxl.domainInfo(domid);
    while (info.shutdown !== true && until?.test(screen.text) !== true) {
      if (performance.now() > deadline) {
        throw new Error(`${name} neither ended nor said what was expected, but: ${screen.text}`);
      }
      await sleep(LOOK_MILLISECONDS);
      info = await libxl.domainInfo(domid);
    }
    await settled(screen);
    screen.console.destroy();
    const ended = info.shutdown_reason === 'poweroff' ? 'powered off' : 'crashed';
    return {
      console: screen.text.replaceAll('\r', ''),
      ending: info.shutdown === true ? ended : 'waits',
    };
  } finally {
    await libxl.destroyDomain(domid);
  }
}
