/** Memory that starting has left behind. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Gives back what loading modules and deploying have left: the engine itself would do so only when a
 * heap of that size is full again (`npm run bench -- --only memory`). Takes some 10 ms.
 */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
    // Contexts that are made from now on are not to have it.
    setFlagsFromString('--no-expose-gc');
  }
  collect();
}
