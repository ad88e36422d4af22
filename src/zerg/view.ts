/** A view of the Zerg page: what it is told of itself, in the phases of the demo of 2013. */
import type { DriverName, Strategy } from '../drivers/driver.js';
import type { Limits } from '../fabric/limits.js';

/** The phases of the demo, in order. */
export const STEPS = ['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const;
export type Step = (typeof STEPS)[number];

/** Milliseconds of the phases that took place and have ended. */
export type Steps = Partial<Record<Step, number>>;

/** What is known of a view so far; also what `/zerg/views/ID` answers. */
export interface View {
  readonly id: string;
  readonly strategy: Strategy;
  readonly steps: Steps;
  /** A to F: from the request until its response was handed over. Not there before. */
  readonly total?: number;
  /** Nothing more will come: its instance is gone. */
  readonly isComplete: boolean;
}

/** What the front tells the instance that is to render a view. */
export interface Facts {
  readonly view: View;
  readonly function: string;
  readonly driver: DriverName;
  readonly limits: Limits;
  /** The function's first start, at its deploy. */
  readonly start: {
    readonly steps: Steps;
    /** Taking the snapshot, and making the first instance over it; only where there is one. */
    readonly snapshot?: number;
  };
}

/** The header by which the front tells it, as JSON. */
export const FACTS_HEADER = 'x-hatchery-view';

/** The header of the page's response that names the view. */
export const VIEW_HEADER = 'x-hatchery-view-id';
