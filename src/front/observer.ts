/** What a front tells of the requests that it has answered. */
import type { Timeline } from '../timeline.js';
import type { Usage } from '../usage.js';

export interface Answered {
  readonly requestId: string;
  /** The name of the function; `undefined` where the request was for none. */
  readonly function: string | undefined;
  readonly method: string;
  /** Of the response, or of the error. */
  readonly status: number;
  /** Why there is no response of the function's, or only part of one: a HatcheryError. */
  readonly error?: unknown;
  readonly timeline: Timeline;
  /**
   * What it used so far, where an instance had it. All of it is `timeline.usage` once
   * `timeline.isOver`: until then an instance may run on, and what memory it used is not known.
   */
  readonly usage?: Usage | undefined;
}

/** Called after each request is answered; must neither throw nor take long. */
export type Observer = (answered: Answered) => void;
