/** Domains that `xl create` makes of an image, without a host of Hatchery's. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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
const LOOK_MILLISECONDS = 100;

let created = 0;

const xl = (...args: string[]) => execFileSync('xl', args, { encoding: 'utf8' });

/** The letters in `xl list`'s column State: `s` for shut down, `c` for crashed. */
function stateOf(name: string): string {
  const line = xl('list', name).trim().split('\n').at(-1) ?? '';
  return line.trim().split(/\s+/)[4] ?? '';
}

/** Runs it until it shuts down or, where `until` is given, has said that; then destroys it. */
export async function runStandalone(
  folder: string,
  options: StandaloneOptions,
  until?: RegExp,
): Promise<Standalone> {
  const { type, kernel, mebibytes, commandLine = '', module } = options;
  if (!existsSync(kernel)) {
    throw new Error(`${kernel} is not built`);
  }
  const name = `standalone-${type}-${created++}`;
  const lines = [
    `name="${name}"`,
    `type="${type}"`,
    `kernel="${kernel}"`,
    `memory=${mebibytes}`,
    'vcpus=1',
    `cmdline='${commandLine}'`,
    'on_poweroff="preserve"',
    'on_crash="preserve"',
  ];
  if (module !== undefined) {
    writeFileSync(join(folder, 'module'), module);
    lines.push(`ramdisk="${join(folder, 'module')}"`);
  }
  const file = join(folder, `${name}.cfg`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  // Not monitored (-e) and paused (-p): the console is there from the first letter on.
  xl('-f', 'create', '-q', '-e', '-p', file);
  const screen = spawn('xl', ['console', name], { stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  screen.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  try {
    xl('unpause', name);
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    let state = '';
    while (!/[sc]/.test(state) && !until?.test(text)) {
      if (performance.now() > deadline) {
        throw new Error(`${name} neither ended nor said what was expected, but: ${text}`);
      }
      await sleep(LOOK_MILLISECONDS);
      state = stateOf(name);
    }
    // The console's daemon may be behind.
    await sleep(LOOK_MILLISECONDS);
    const ending = state.includes('c') ? 'crashed' : state.includes('s') ? 'powered off' : 'waits';
    return { console: text.replaceAll('\r', ''), ending };
  } finally {
    screen.kill();
    xl('destroy', name);
  }
}
