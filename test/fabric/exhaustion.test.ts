/** A machine that runs out of descriptors in earnest. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'tap';
import { noDriver } from '../drivers/default-driver.js';

const PROGRAM = fileURLToPath(new URL('./exhausted-process.js', import.meta.url));
const RECOVERY_MILLISECONDS = 3_000;

interface Outcome {
  readonly outcomes: readonly string[];
  readonly shrunk: number;
  readonly again: readonly string[];
  readonly descriptors: number;
}

async function withDescriptors(count: number): Promise<Outcome> {
  const command = `ulimit -n ${count}; exec "$0" "$@"`;
  const { stdout } = await promisify(execFile)('bash', [
    ...['-c', command, process.execPath, PROGRAM],
    String(RECOVERY_MILLISECONDS),
  ]);
  return JSON.parse(stdout) as Outcome;
}

test('with few descriptors there are fewer instances, and no request is lost', {
  skip: noDriver,
}, async (t) => {
  const { outcomes, shrunk, again, descriptors } = await withDescriptors(60);
  const codes = new Set([...outcomes, ...again]);
  codes.delete('200');
  codes.delete('OVERLOADED');
  t.strictSame([...codes], [], 'each request is served or refused');
  t.ok(outcomes.filter((code) => code === '200').length > 10, outcomes.join());
  t.ok(shrunk > 0, 'it is said in the log');
  t.ok(again.filter((code) => code === '200').length > 10, again.join());
  t.ok(descriptors < 50, `${descriptors} descriptors are left open`);
});
