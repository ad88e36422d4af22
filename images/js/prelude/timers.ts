/** HTML's timers. They are the guest's own: the host only wakes it up. */

import { reportError } from './errors.js';
import { host } from './host.js';
import { leaveSomething, onRequest, requireRequest } from './serving.js';

interface Timer {
  readonly id: number;
  readonly run: () => void;
  /** Of an interval; undefined for a timeout. */
  readonly period: number | undefined;
  /** How many timers were set by a timer to get here. */
  readonly nesting: number;
  /** Milliseconds since the request was handed over. */
  due: number;
  isCleared: boolean;
}

/** HTML, "timer initialization steps": set deeper than this, a timer takes at least 4 ms. */
const NESTING_FREE = 5;
const NESTED_DELAY = 4;

function clamped(delay: number, level: number): number {
  return level > NESTING_FREE ? Math.max(delay, NESTED_DELAY) : delay;
}

/** A binary heap: the first is due first; those that were cleared stay until they come to its top. */
const heap: Timer[] = [];
const active = new Map<number, Timer>();
let lastId = 0;
/** Of the timer that runs now, with the jobs that it leaves. */
let nesting = 0;

onRequest(() => {
  heap.length = 0;
  active.clear();
  nesting = 0;
});

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.id < b.id);
}

function push(timer: Timer): void {
  let at = heap.length;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Timer;
    if (!isBefore(timer, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = timer;
}

function pop(): void {
  const last = heap.pop() as Timer;
  const size = heap.length;
  if (size === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= size) break;
    if (below + 1 < size && isBefore(heap[below + 1] as Timer, heap[below] as Timer)) below += 1;
    if (!isBefore(heap[below] as Timer, last)) break;
    heap[at] = heap[below] as Timer;
    at = below;
  }
  heap[at] = last;
}

function add(run: () => void, delay: number, isRepeated: boolean): number {
  lastId += 1;
  const period = clamped(delay, nesting);
  const timer: Timer = {
    id: lastId,
    run,
    period: isRepeated ? period : undefined,
    nesting: nesting + 1,
    due: host.now() + period,
    isCleared: false,
  };
  active.set(timer.id, timer);
  push(timer);
  leaveSomething();
  return timer.id;
}

function remove(id: unknown): void {
  // The conversion to Web IDL's long.
  const timer = active.get((id as number) | 0);
  if (timer === undefined) return;
  timer.isCleared = true;
  active.delete(timer.id);
}

/** When the next timer is due; undefined if there is none. */
export function nextTimer(): number | undefined {
  while (heap[0]?.isCleared) pop();
  return heap[0]?.due;
}

/** Runs the first timer, if it is due at that time; returns whether it did. */
export function runTimer(now: number): boolean {
  const due = nextTimer();
  if (due === undefined || due > now) return false;
  const timer = heap[0] as Timer;
  pop();
  if (timer.period === undefined) active.delete(timer.id);
  nesting = timer.nesting;
  try {
    timer.run();
  } catch (error) {
    reportError(error);
  }
  if (timer.period !== undefined && !timer.isCleared) repeat(timer, timer.period);
  return true;
}

/** Sets an interval's timer again, on its grid: turns that were missed are left out. */
function repeat(timer: Timer, period: number): void {
  const step = clamped(period, timer.nesting);
  const late = host.now() - timer.due;
  const due = step === 0 ? host.now() : timer.due + step * (1 + Math.floor(late / step));
  const next = { ...timer, period: step, nesting: timer.nesting + 1, due };
  active.set(next.id, next);
  push(next);
}

/** What runs next is no timer's doing. */
export function endNesting(): void {
  nesting = 0;
}

/** A timeout of the prelude's own. */
export function after(milliseconds: number, run: () => void): void {
  add(run, milliseconds, false);
}

function initialize(name: string, parameters: readonly unknown[], isRepeated: boolean): number {
  requireRequest(name);
  const [callback, delay, ...values] = parameters;
  if (typeof callback !== 'function') {
    const what = typeof callback === 'string' ? 'code as text is not run' : 'not a function';
    throw new TypeError(`${name}: ${what}`);
  }
  // The conversion to Web IDL's long: not a number becomes 0.
  const milliseconds = Math.max((delay as number) | 0, 0);
  return add(() => callback.apply(globalThis, values), milliseconds, isRepeated);
}

type Callback = (...values: never[]) => unknown;

export function setTimeout(...parameters: [callback: Callback, delay?: number]): number {
  return initialize('setTimeout', parameters, false);
}

export function setInterval(...parameters: [callback: Callback, delay?: number]): number {
  return initialize('setInterval', parameters, true);
}

export function clearTimeout(id?: number): void {
  remove(id);
}

export function clearInterval(id?: number): void {
  remove(id);
}
