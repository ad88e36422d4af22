/** What everything is compared with: `xl create` and `xl destroy` of the same image, in the same boot. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../harness/statistics.js';
import { settle } from './settle.js';

/** Lives of domains that are measured, after one that is not. */
const ROUNDS = 15;

/** Milliseconds, medians, without what starting any process takes. */
export interface Toolstack {
  readonly create: number;
  readonly destroy: number;
}

/** @throws Error when the program fails: its time would mean nothing. */
function timed(...command: readonly [string, ...string[]]): number {
  const [program, ...args] = command;
  const start = performance.now();
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  const milliseconds = performance.now() - start;
  if (status !== 0) {
    throw new Error(`${command.join(' ')} ended with ${status}: ${error?.message ?? stderr}`);
  }
  return milliseconds;
}

/**
 * @param image path of the ELF file, which waits for ever once it has booted
 * @param mebibytes memory of the domain
 */
export async function measureToolstack(image: string, mebibytes: number): Promise<Toolstack> {
  const configuration = join(mkdtempSync(join(tmpdir(), 'bench-xen-')), 'domain.cfg');
  const settings = {
    name: 'baseline',
    type: 'pvh',
    kernel: image,
    memory: mebibytes,
    vcpus: 1,
    tsc_mode: 'native',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
  writeFileSync(configuration, lines.join(''));
  const [create, destroy, nothing]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= ROUNDS; round++) {
    create.push(timed('xl', 'create', '-q', configuration));
    await settle();
    destroy.push(timed('xl', 'destroy', 'baseline'));
    await settle();
    nothing.push(timed('busybox', 'true'));
  }
  const start = median(nothing.slice(1));
  return {
    create: median(create.slice(1)) - start,
    destroy: median(destroy.slice(1)) - start,
  };
}
