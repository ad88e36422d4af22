/** How slow this machine is. */
import { spawnSync } from 'node:child_process';

/** Node's start and end where nothing is slow; on machines whose page faults are dear it takes over 100. */
const USUAL_MILLISECONDS = 50;
const STARTS = 5;

/**
 * How long something may take here that a person would notice: the given milliseconds, and more where the
 * machine takes longer than others to start Node, which is most of what is awaited.
 */
export function withinHere(milliseconds: number): number {
  const starts = Array.from({ length: STARTS }, () => {
    const start = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    return performance.now() - start;
  });
  return milliseconds * Math.max(1, Math.min(...starts) / USUAL_MILLISECONDS);
}
