/** How much memory a process has, as the kernel says. */
import { readFile } from 'node:fs/promises';

const KIB = 1024;

/** @returns bytes; `undefined`: there is no such process. */
export async function residentBytes(processId: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${processId}/status`, 'latin1');
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return kib === undefined ? undefined : Number(kib) * KIB;
  } catch {
    return undefined;
  }
}
