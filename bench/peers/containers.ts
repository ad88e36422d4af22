import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { BUILD } from '../harness/folders.js';
import { compileProgram, isInstalled, versionOf } from '../harness/programs.js';
import { DISTINCT, url } from '../requests.js';
import type { Peer } from './peer.js';
import { demand, openProcess } from './processes.js';

const execute = promisify(execFile);
const UNIFIED_CGROUPS = '/sys/fs/cgroup/unified';

/**
 * Writes a bundle for each of the distinct requests: the runtime's own default configuration with
 * the static program as the root file system.
 *
 * @returns the folder of a bundle, `{n}` for the number of the request.
 */
async function writeBundles(runtime: string): Promise<string> {
  const program = compileProgram('hello');
  const folder = path.join(BUILD, runtime);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await execute(runtime, ['spec'], { cwd: folder });
  const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8'));
  config.root = { path: path.dirname(program), readonly: true };
  config.process.terminal = false;
  for (let number = 0; number < DISTINCT; number++) {
    const bundle = path.join(folder, String(number));
    config.process.args = ['/hello', url(number)];
    await mkdir(bundle);
    await writeFile(path.join(bundle, 'config.json'), JSON.stringify(config));
  }
  return path.join(folder, '{n}');
}

/**
 * crun refuses a machine that has both versions of cgroups mounted. In a mount namespace of our own
 * the second version can be taken away without anybody noticing.
 */
async function withoutUnifiedCgroups(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  if (!mounts.includes(` ${UNIFIED_CGROUPS} `) || !isInstalled('unshare')) return [];
  return ['unshare', '--mount', 'sh', '-c', `umount ${UNIFIED_CGROUPS} && exec "$@"`, 'sh'];
}

function container(runtime: 'crun' | 'runc'): Peer {
  return {
    name: runtime,
    wall: 'a container (a static C program)',
    count: 10,
    async open() {
      demand(runtime);
      const bundle = await writeBundles(runtime);
      return openProcess(
        versionOf(runtime),
        [runtime, 'run', '--bundle', bundle, `hatchery-bench-${process.pid}-{n}`],
        runtime === 'crun' ? await withoutUnifiedCgroups() : [],
      );
    },
  };
}

export const crun = container('crun');
export const runc = container('runc');
