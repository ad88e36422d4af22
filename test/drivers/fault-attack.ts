/** Makes each system call of an operation fail, and looks at what comes of it. */

import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { HatcheryError } from '../../src/errors.js';
import { guestsOf } from './processes.js';
import type { Faults } from './test-guests.js';

export const ERRNOS = [
  'ENOMEM',
  'EINVAL',
  'EIO',
  'EMFILE',
  'EINTR',
  'EAGAIN',
  'ENOSPC',
  'EFAULT',
  'EBADF',
] as const;
export type Errno = (typeof ERRNOS)[number];

/** Calls that may fail without their operation failing. */
export type Tolerated = ReadonlyMap<string, readonly Errno[]>;

const ALWAYS_TOLERATED: Tolerated = new Map<string, readonly Errno[]>([
  ['madvise(MADV_HUGEPAGE)', ERRNOS], // it is only slower
  ['madvise(MADV_POPULATE_WRITE)', ['EINVAL']], // kernels that do not know it
  ['KVM_CAP_XSAVE2', ERRNOS], // the same
  ['KVM_RUN', ['EAGAIN']], // it is tried again
]);

/** Calls that are made now and then: an operation that makes them for certain names them. */
const INCIDENTAL = ['getrandom', 'pthread_create'];

/** A case that takes longer than this hangs; with sanitizers on a busy machine some take seconds. */
const BOUND_MILLISECONDS = 20_000;

/** Something that the driver does. `State` is what has to be there before; `cleanUp` ends it. */
export interface Operation<State> {
  prepare(): Promise<State>;
  act(state: State): Promise<unknown>;
  cleanUp(state: State): Promise<void>;
  readonly tolerated?: Tolerated;
  /** The calls to make fail; by default all that are made each time. */
  readonly calls?: readonly string[];
  /** Errnos that the kernel never gives here, and that would mean something else. */
  readonly impossible?: Tolerated;
}

export interface Findings {
  /** What is wrong, a line each. */
  readonly wrong: string[];
  readonly calls: readonly string[];
  readonly cases: number;
}

/** Descriptors, mappings of guests' memory and of vCPUs, and processes that are guests. */
async function census(expected?: string): Promise<string> {
  const patience = performance.now() + 5_000;
  let found = count();
  let before = expected;
  // Processes, and what an event loop closes, go a moment later: until nothing changes any more.
  while (found !== before && performance.now() < patience) {
    await sleep(5);
    before = expected ?? found;
    found = count();
  }
  return found;
}

function count(): string {
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n');
  const ours = maps.filter((line) => /memfd:hatchery|kvm/.test(line)).length;
  const descriptors = readdirSync('/proc/self/fd').length;
  return `${descriptors} descriptors, ${ours} mappings, ${guestsOf(process.pid).length} guests`;
}

/** The error with which `deed` fails, also by not ending; `undefined` where it does not fail. */
export async function errorOf(deed: () => Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error('it hangs')), BOUND_MILLISECONDS);
  });
  const failure = deed().then(
    () => undefined,
    (error) => error ?? new Error('it threw nothing'),
  );
  const outcome = await Promise.race([failure, tooLong]);
  clearTimeout(timer);
  return outcome;
}

/** Whether an error is the typed one for a failed call. */
export function names(error: unknown, call: string, errno: Errno): boolean {
  if (!(error instanceof HatcheryError)) {
    return false;
  }
  const { code, details } = error;
  if (code === 'PROCESS_UNAVAILABLE') {
    return call === 'posix_spawn(spawner)';
  }
  return code === 'KVM_UNAVAILABLE'
    ? call === 'open(/dev/kvm)'
    : code === 'DRIVER_FAILED' && details.call === call && details.errno === errno;
}

/** The first calls of a name, and the last: what is between them is a loop. */
function* numbersOf(
  calls: Record<string, number>,
  asked: readonly string[] | undefined,
): Generator<[call: string, number: number]> {
  const names = asked ?? Object.keys(calls).filter((call) => !INCIDENTAL.includes(call));
  for (const call of names) {
    const count = calls[call] ?? 0;
    for (const number of new Set([1, 2, 3, count])) {
      if (number <= count) {
        yield [call, number];
      }
    }
  }
}

/** Runs the operation once for each of its calls and each errno, and once more after each. */
export async function attack<State>(
  faults: Faults,
  operation: Operation<State>,
): Promise<Findings> {
  const wrong: string[] = [];
  const perform = async () => {
    const state = await operation.prepare();
    faults.record();
    const error = await errorOf(() => operation.act(state));
    const calls = faults.recorded();
    await operation.cleanUp(state);
    return { error, calls };
  };
  const { error, calls } = await perform();
  if (error !== undefined) {
    wrong.push(`without a fault: ${error}`);
  }
  let cases = 0;
  for (const [call, number] of numbersOf(calls, operation.calls)) {
    for (const errno of ERRNOS.filter((one) => !operation.impossible?.get(call)?.includes(one))) {
      const name = `${call} #${number} with ${errno}`;
      const before = await census();
      const state = await operation.prepare();
      faults.inject(call, number, constants.errno[errno]);
      const error = await errorOf(() => operation.act(state));
      const happened = faults.injected();
      await operation.cleanUp(state);
      const after = await census(before);
      const passes =
        errno === 'EINTR' ||
        ALWAYS_TOLERATED.get(call)?.includes(errno) ||
        operation.tolerated?.get(call)?.includes(errno);
      if (error === undefined ? happened && !passes : !names(error, call, errno)) {
        wrong.push(`${name}: ${error ?? 'passed unnoticed'}`);
      }
      if (after !== before) {
        wrong.push(`${name}: left ${after}, there were ${before}`);
      }
      const next = await perform();
      if (next.error !== undefined) {
        wrong.push(`after ${name}: ${next.error}`);
      }
      // A signal to this process, say, repeats a KVM_RUN: then the first record was no rule.
      if (!happened && number <= (next.calls[call] ?? 0)) {
        wrong.push(`${name}: was never made`);
      }
      cases += 1;
    }
  }
  if (cases === 0 && operation.calls !== undefined) {
    wrong.push('the calls are not made');
  }
  return { wrong, calls: Object.keys(calls), cases };
}
