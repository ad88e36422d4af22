/** When each phase of a request began and ended, from its timeline. */
import type { Phase, Timeline } from './timeline.js';

/** Milliseconds of `performance.now()`. */
export interface Interval {
  readonly name: Phase;
  readonly start: number;
  readonly end: number;
}

const BEFORE_GUEST = ['accept', 'queue'] as const;
const COLD = ['load', 'create', 'boot', 'init'] as const;

/**
 * The phases that have ended, one behind the other. A guest that waits for host calls, or for its client,
 * still has its phase, so this one may be longer here than its duration in the timeline.
 * @param until when the request was over.
 */
export function intervalsOf(timeline: Timeline, until: number): Interval[] {
  const intervals: Interval[] = [];
  let at = timeline.start;
  const add = (name: Phase, duration: number | undefined) => {
    if (duration !== undefined) {
      intervals.push({ name, start: at, end: at + duration });
      at += duration;
    }
  };
  for (const name of BEFORE_GUEST) {
    add(name, timeline[name]);
  }
  for (const name of COLD) {
    add(name, timeline.cold?.[name]);
  }
  add('spawn', timeline.spawn);
  const replied = timeline.replyStart ?? until;
  if (timeline.guest !== undefined) {
    add('guest', Math.max(0, replied - at));
  }
  at = Math.max(at, replied);
  add('reply', timeline.reply);
  at = Math.max(at, timeline.endStart ?? at);
  add('end', timeline.end);
  return intervals;
}
