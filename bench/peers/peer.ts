import type { Durations } from '../harness/process-per-request.js';
import { check, url } from '../requests.js';

/** Something that people use to keep two requests apart. */
export interface Peer {
  readonly name: string;
  /** What stands between one request and the next, in a few words. */
  readonly wall: string;
  /** How many requests a round makes; dear ones make fewer. */
  readonly count: number;
  /**
   * Gets it ready to answer.
   * @throws Absent when it cannot be used here.
   */
  open(): Promise<OpenPeer>;
}

export interface OpenPeer {
  readonly version: string;
  /** Answers `count` of the distinct requests, from number `first` on, each in a fresh instance. */
  answer(count: number, first: number): Promise<Durations>;
  close?(): Promise<void>;
}

/** A peer that is not installed here or does not work here; the message says which. */
export class Absent extends Error {}

/** An answer, and how to end the instance that gave it. */
export interface Answered {
  readonly text: string;
  end(): Promise<void> | void;
}

/** Measures instances that live inside of this process, one after the other. */
export async function answerInProcess(
  name: string,
  count: number,
  first: number,
  answer: (url: string) => Promise<Answered> | Answered,
): Promise<Durations> {
  const durations: Durations = { response: [], life: [] };
  for (let number = first; number < first + count; number++) {
    const start = performance.now();
    const answered = await answer(url(number));
    durations.response.push((performance.now() - start) * 1000);
    await answered.end();
    durations.life.push((performance.now() - start) * 1000);
    check(number, answered.text, name);
  }
  return durations;
}
