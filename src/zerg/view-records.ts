/** The views that were rendered lately, each by an id that nobody can guess. */
import { randomBytes } from 'node:crypto';
import type { Strategy } from '../drivers/driver.js';
import type { Timeline } from '../timeline.js';
import { stepsOf, totalOf } from './steps.js';
import type { View } from './view.js';

/** Enough for several people who ask for 100 more at the same time. */
const KEPT = 1_024;
const ID_BYTES = 16;

interface Kept {
  readonly timeline: Timeline;
  readonly strategy: Strategy;
}

export class ViewRecords {
  readonly #owner: string;
  readonly #kept: number;
  readonly #views = new Map<string, Kept>();

  /**
   * @param owner names whoever keeps these, among those that serve together; a part of each id.
   * @param kept how many at most: then the oldest goes.
   */
  constructor(owner: string, kept = KEPT) {
    this.#owner = owner;
    this.#kept = kept;
  }

  get size(): number {
    return this.#views.size;
  }

  newId(): string {
    return `${this.#owner}.${randomBytes(ID_BYTES).toString('base64url')}`;
  }

  /** @param timeline goes on; what it says later is what is found later. */
  keep(id: string, timeline: Timeline, strategy: Strategy): void {
    this.#views.set(id, { timeline, strategy });
    if (this.#views.size > this.#kept) {
      const [oldest] = this.#views.keys();
      this.#views.delete(oldest as string);
    }
  }

  find(id: string): View | undefined {
    const kept = this.#views.get(id);
    return kept && viewOf(id, kept.timeline, kept.strategy);
  }
}

/** What is known of a view now. */
export function viewOf(id: string, timeline: Timeline, strategy: Strategy): View {
  const steps = stepsOf(timeline.toJSON());
  const total = totalOf(steps);
  const isComplete = total !== undefined && steps.G !== undefined;
  return { id, strategy, steps, ...(total === undefined ? {} : { total }), isComplete };
}

/** Whose view it is, by its id; `undefined` where that is none. */
export function ownerOf(id: string): string | undefined {
  return ID.exec(id)?.[1];
}

const ID = /^(\d{1,5})\.[\w-]{22}$/;
