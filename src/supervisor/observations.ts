/** What happens where requests are served, told to whoever supervises it. */
import * as v from 'valibot';
import { type ErrorCode, HatcheryError } from '../errors.js';
import type { Answered } from '../front/observer.js';
import type { Timeline } from '../timeline.js';
import type { Usage } from '../usage.js';

const TEXT = v.string();
const COMMON = {
  /** Milliseconds since 1970. */
  at: v.number(),
  function: v.optional(TEXT),
  requestId: v.optional(TEXT),
  /** The id of a spawned instance. */
  instance: v.optional(TEXT),
};
/** Of a {@link Usage}. */
const AMOUNT = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const USAGE = v.object({
  cpuMicroseconds: AMOUNT,
  peakMemoryBytes: v.exactOptional(AMOUNT),
  dirtyMemoryBytes: v.exactOptional(AMOUNT),
  bytesIn: AMOUNT,
  bytesOut: AMOUNT,
  hostCalls: AMOUNT,
}) satisfies v.GenericSchema<Usage>;
const ANSWERED = {
  ...COMMON,
  method: TEXT,
  /** Of the HTTP response. */
  status: v.number(),
  /** Phases in milliseconds, as `Timeline` names them. */
  timeline: v.record(TEXT, v.number()),
  /** Where an instance had the request. */
  usage: v.optional(USAGE),
};
const FAILED = { ...ANSWERED, code: TEXT, message: TEXT };

/** How a request ended. */
const OUTCOMES = [
  v.object({ kind: v.literal('served'), ...ANSWERED }),
  /** No instance had the request. */
  v.object({ kind: v.literal('refused'), ...FAILED }),
  /** Its instance hit a limit, or nobody waited for it any more. */
  v.object({ kind: v.literal('killed'), ...FAILED }),
  /** Its instance crashed, or threw. */
  v.object({ kind: v.literal('crashed'), ...FAILED, where: TEXT }),
] as const;

export const OUTCOME = v.variant('kind', [...OUTCOMES]);

export const OBSERVATION = v.variant('kind', [
  ...OUTCOMES,
  v.object({ kind: v.literal('ended'), ...COMMON, reason: TEXT }),
  v.object({ kind: v.literal('log'), ...COMMON, level: TEXT, text: TEXT }),
]);

export type Observation = v.InferOutput<typeof OBSERVATION>;
export type RequestOutcome = v.InferOutput<typeof OUTCOME>;

/** Errors by which a function itself failed. */
const CRASHES = new Set<ErrorCode>(['FUNCTION_CRASHED', 'FUNCTION_THREW', 'FUNCTION_STALLED']);
/** Characters of a place: thousands of them are kept. */
const LONGEST_PLACE = 2_048;

/** Errors that end an instance, which did nothing wrong that has a place. */
const ENDINGS = new Set<ErrorCode>([
  ...(['DEADLINE_EXCEEDED', 'CPU_EXCEEDED', 'MEMORY_EXCEEDED', 'HOST_CALLS_EXCEEDED'] as const),
  ...(['LOG_EXCEEDED', 'RESPONSE_HEAD_TOO_LARGE', 'RESPONSE_BODY_TOO_LARGE'] as const),
  ...(['RESPONSE_INVALID', 'CLIENT_GONE'] as const),
]);

/** Outcomes of which more is to come. */
const unfinished = new WeakSet<Observation>();

/**
 * An answered request as an observation. What becomes known of it later, until its instance is gone, is
 * put down in the same object.
 */
export function observe(answered: Answered, instance?: string): RequestOutcome {
  const outcome = outcomeOf(answered, instance);
  const { timeline } = answered;
  if (!timeline.isOver) {
    unfinished.add(outcome);
    timeline.whenOver(() => {
      unfinished.delete(outcome);
      complete(outcome, timeline);
    });
  }
  return outcome;
}

function complete(outcome: RequestOutcome, { guest, end, usage }: Timeline): void {
  // Who has been told already keeps what that was.
  outcome.timeline = {
    ...outcome.timeline,
    ...(guest === undefined ? {} : { guest }),
    ...(end === undefined ? {} : { end }),
  };
  outcome.usage = usage;
}

function outcomeOf(answered: Answered, instance: string | undefined): RequestOutcome {
  const { requestId, function: name, method, status, timeline, error } = answered;
  const { usage } = timeline;
  const common = {
    ...{ at: Date.now(), function: name, requestId, method, status, timeline: timeline.toJSON() },
    ...(usage === undefined ? {} : { usage }),
    ...(instance === undefined ? {} : { instance }),
  } as const;
  if (error === undefined) {
    return { kind: 'served', ...common };
  }
  const { code, message, details } = HatcheryError.from(error);
  if (CRASHES.has(code)) {
    const place = String(details.trace ?? details.where ?? details.text ?? 'an unknown place');
    const where = place.slice(0, LONGEST_PLACE);
    return { kind: 'crashed', ...common, code, message, where };
  }
  return { kind: ENDINGS.has(code) ? 'killed' : 'refused', ...common, code, message };
}

/** Gets observations, and how many there were besides, which were too many to be told. */
export type Report = (observations: readonly Observation[], omitted: number) => void;

/** How often they are handed on. */
const BATCH_MILLISECONDS = 100;
/** So many at a time; the rest is only counted, so that telling costs little beside serving. */
const BATCH_LENGTH = 256;
/** Characters of a log line. */
const LONGEST_TEXT = 8_192;

/** Collects observations and hands them on, not too many at a time. */
export class ObservationBuffer {
  readonly #report: Report;
  #collected: Observation[] = [];
  #omitted = 0;
  /** So many of the collected were held back once; they go with the next. */
  #held = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  add(observation: Observation): void {
    if (this.#collected.length >= BATCH_LENGTH) {
      this.#omitted += 1;
      return;
    }
    this.#collected.push(shortened(observation));
    this.#flushLater();
  }

  /** Hands on what there is. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell(this.#collected.length);
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell(this.#finished());
      if (this.#held > 0) {
        this.#flushLater();
      }
    }, BATCH_MILLISECONDS).unref();
  }

  /** How many may go: up to the first that is unfinished, which is held back once, with all behind it. */
  #finished(): number {
    const index = this.#collected.findIndex(
      (observation, at) => at >= this.#held && unfinished.has(observation),
    );
    return index < 0 ? this.#collected.length : index;
  }

  #tell(count: number): void {
    const told = this.#collected.splice(0, count);
    const omitted = this.#omitted;
    this.#held = this.#collected.length;
    if (told.length > 0) {
      this.#omitted = 0;
      this.#report(told, omitted);
    }
  }
}

function shortened(observation: Observation): Observation {
  return observation.kind === 'log'
    ? { ...observation, text: observation.text.slice(0, LONGEST_TEXT) }
    : observation;
}
