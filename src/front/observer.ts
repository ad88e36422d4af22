/** What a front tells of the requests that it has answered. */
import type { Timeline } from '../timeline.js';

export interface Answered {
  readonly requestId: string;
  /** The name of the function; `undefined` where the request was for none. */
  readonly function: string | undefined;
  readonly method: string;
  /** Of the response, or of the error. */
  readonly status: number;
  /** Why there is no response of the function's, or only part of one: a HatcheryError. */
  readonly error?: unknown;
  /** What its instance used is there, too: all of it once it is over, so far until then. */
  readonly timeline: Timeline;
}

/** Called after each request is answered; must neither throw nor take long. */
export type Observer = (answered: Answered) => void;
