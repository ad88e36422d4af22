/** Images of C programs, for tests: built by the SDK as the image builder does it. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const BUILD_C = 'dist/sdk/build-c';
export const PROGRAMS = 'test/images/programs';

export interface BuiltProgram {
  readonly image: string;
  /** The last line of what the builder printed. */
  readonly provenance: { tools: Record<string, string>; flags: string[] };
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Builds in a new folder of the system's for such, which is gone when this process ends. */
export async function buildC(
  sources: readonly string[],
  flags: readonly string[] = [],
  files?: string,
): Promise<BuiltProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'hatchery-c-'));
  folders.push(folder);
  const work = join(folder, 'work');
  await mkdir(work);
  const image = join(folder, 'program.elf');
  const packed = files === undefined ? [] : ['--files', files];
  const { stdout } = await run(BUILD_C, [image, work, ...packed, ...sources, '--', ...flags]);
  return { image, provenance: JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') };
}

/** What the builder says on standard error where it makes no image. */
export async function refusal(
  sources: readonly string[],
  flags: readonly string[] = [],
): Promise<string> {
  try {
    await buildC(sources, flags);
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
  throw new Error('there is an image');
}
