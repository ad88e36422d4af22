/**
 * The phases of one request, in milliseconds of one monotonic clock (`performance.now()`, which
 * has a resolution well below a microsecond).
 *
 * accept  from the moment that the request's head was there until the request was handed to the
 *         fabric: head understood, body read
 * queue   waiting for a place and for a virtual machine
 * spawn   making it this request's instance: rewinding, filling the request window
 * guest   the guest ran; host work between its exits is not counted
 * reply   from the end of the function's response until it was handed to the client's socket
 * end     after the response, off its way: the virtual machine was rewound to its snapshot, or
 *         destroyed
 *
 * and, where a virtual machine was made for it ({@link ColdPhases}):
 *
 * load    reading the image and laying it out
 * create  making the virtual machine
 * boot    the guest ran up to the snapshot point: engine and start-up code of the function. Where its
 *         image has started before for another function, only what is this function's own
 * init    taking the snapshot, and making the first virtual machine over it
 */
import type { Meter, Remains, Usage } from './usage.js';

/** Those that took place, in milliseconds. */
export interface ColdPhases {
  readonly load?: number;
  readonly create?: number;
  readonly boot?: number;
  readonly init?: number;
}

export const PHASES = ['accept', 'queue', 'spawn', 'guest', 'reply', 'end'] as const;
export const COLD_PHASES = ['load', 'create', 'boot', 'init'] as const;
const LATE_PHASES = ['guest', 'reply', 'end'] as const;

/** All that there are. */
export const PHASE_NAMES = [...PHASES, ...COLD_PHASES] as const;

export type Phase = (typeof PHASES)[number] | (typeof COLD_PHASES)[number];

/** Each value is in milliseconds; `undefined` as long as the phase has not ended. */
export class Timeline {
  accept: number | undefined;
  queue: number | undefined;
  spawn: number | undefined;
  guest: number | undefined;
  reply: number | undefined;
  end: number | undefined;
  cold: ColdPhases | undefined;
  /** Counts what it uses, from when an instance got it. */
  meter: Meter | undefined;
  /** `performance.now()` when the phase `reply` began: what was before it need not have been `guest`. */
  replyStart: number | undefined;
  /** The same of `end`. */
  endStart: number | undefined;

  /** @param start `performance.now()` when the request arrived. */
  constructor(readonly start: number = performance.now()) {}

  /**
   * Its instance is gone, or another request may have it.
   * @param milliseconds the phase `end`; `undefined` where there is none.
   */
  noteEnd(milliseconds: number | undefined, remains: Remains): void {
    this.end = milliseconds;
    this.meter?.close(remains);
  }

  /** What the request has used so far; `undefined` where no instance got it. */
  get usage(): Usage | undefined {
    return this.meter?.read();
  }

  /** Its instance runs no more, or none got it: what is still to come comes soon. */
  get isStopped(): boolean {
    return this.meter?.isStopped ?? true;
  }

  /** Its instance is gone, or none got it: neither `end` nor anything of the usage is to come. */
  get isOver(): boolean {
    return this.meter?.isClosed ?? true;
  }

  /** @param callback must not throw. It is called once {@link isOver}, at once where it is. */
  whenOver(callback: () => void): void {
    if (this.meter === undefined) {
      callback();
    } else {
      this.meter.whenClosed(callback);
    }
  }

  /** The phases that have ended, in the order in which they are documented. */
  phases(): [Phase, number][] {
    const all: [Phase, number | undefined][] = [
      ...PHASES.map((name): [Phase, number | undefined] => [name, this[name]]),
      ...COLD_PHASES.map((name): [Phase, number | undefined] => [name, this.cold?.[name]]),
    ];
    return all.filter((entry): entry is [Phase, number] => entry[1] !== undefined);
  }

  /**
   * The phases that have ended, as a value of the header `Server-Timing`; the description of `guest`
   * is the usage so far.
   */
  toServerTiming(): string {
    let value = this.#entries(PHASES);
    if (this.cold !== undefined) {
      for (const name of COLD_PHASES) {
        const duration = this.cold[name];
        if (duration !== undefined) {
          value += entry(value, name, duration);
        }
      }
    }
    return value;
  }

  /** The same of what was not known when the head of the response was sent. */
  toLateServerTiming(): string {
    return this.#entries(LATE_PHASES);
  }

  #entries(names: readonly (typeof PHASES)[number][]): string {
    let value = '';
    for (const name of names) {
      const duration = this[name];
      if (duration !== undefined) {
        value += entry(value, name, duration);
        if (name === 'guest' && this.meter !== undefined) {
          value += `;desc="${this.meter.describe()}"`;
        }
      }
    }
    return value;
  }

  toJSON(): Partial<Record<Phase, number>> {
    return Object.fromEntries(this.phases());
  }
}

/** One entry of a `Server-Timing` value, in milliseconds with microseconds: `spawn;dur=0.013`. */
export function serverTimingEntry(name: Phase, milliseconds: number): string {
  return `${name};dur=${milliseconds.toFixed(3)}`;
}

function entry(before: string, name: Phase, milliseconds: number): string {
  return `${before === '' ? '' : ', '}${serverTimingEntry(name, milliseconds)}`;
}
