/** Requests that are traced, on their way from where they were served to whoever exports them. */
import * as v from 'valibot';
import type { DriverName } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import type { Sampling } from '../front/sampling.js';
import type { TracedAnswer, Tracing } from '../front/tracing.js';
import { PHASE_NAMES } from '../timeline.js';
import { intervalsOf } from '../timeline-intervals.js';

/** So many of one process in {@link BATCH_MILLISECONDS}; the rest is only counted. */
export const MOST_TRACED = 256;
const BATCH_MILLISECONDS = 100;

/** Characters. */
const LONGEST = { name: 128, url: 2_048, traceState: 512, message: 1_024, place: 4_096 } as const;

const text = (longest: number) => v.pipe(v.string(), v.maxLength(longest));
const TRACE_ID = v.pipe(v.string(), v.regex(/^(?!0{32})[0-9a-f]{32}$/));
const SPAN_ID = v.pipe(v.string(), v.regex(/^(?!0{16})[0-9a-f]{16}$/));
/** Milliseconds since 1970, below the year 2200. */
const TIME = v.pipe(v.number(), v.minValue(0), v.maxValue(7.3e12));
const TIMES = { start: TIME, end: TIME };

export const TRACED_REQUEST = v.object({
  traceId: TRACE_ID,
  /** Of the server's span. */
  spanId: SPAN_ID,
  parentSpanId: v.optional(SPAN_ID),
  traceState: v.optional(text(LONGEST.traceState)),
  requestId: text(LONGEST.name),
  function: v.optional(text(LONGEST.name)),
  /** The id of a spawned instance. */
  instance: v.optional(text(LONGEST.name)),
  driver: text(LONGEST.name),
  strategy: v.optional(v.picklist(['boot', 'clone', 'pool', 'reset'])),
  method: text(LONGEST.name),
  /** Without what is behind its path. */
  url: text(LONGEST.url),
  status: v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599)),
  error: v.optional(
    v.object({
      code: text(LONGEST.name),
      /** Of what was thrown, or the code. */
      type: text(LONGEST.name),
      message: text(LONGEST.message),
      /** The place of a crash, or its trace. */
      where: v.optional(text(LONGEST.place)),
    }),
  ),
  ...TIMES,
  phases: v.pipe(
    v.array(v.object({ name: v.picklist(PHASE_NAMES), ...TIMES })),
    v.maxLength(PHASE_NAMES.length),
  ),
  /** Milliseconds that the guest ran, without what it waited for. */
  guestMilliseconds: v.optional(v.number()),
});

export type TracedRequest = v.InferOutput<typeof TRACED_REQUEST>;

/** Whoever serves takes part in traces so. */
export interface TracedServing {
  readonly sampling: Sampling;
  /** @param omitted requests besides, which were too many to be told. */
  report(requests: readonly TracedRequest[], omitted: number): void;
}

/** Collects traced requests and hands them on, not too many at a time. */
export class TraceBuffer implements Tracing {
  readonly sampling: Sampling;
  readonly #driver: DriverName;
  readonly #serving: TracedServing;
  #collected: TracedAnswer[] = [];
  #omitted = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(driver: DriverName, serving: TracedServing) {
    this.sampling = serving.sampling;
    this.#driver = driver;
    this.#serving = serving;
  }

  report(answer: TracedAnswer): void {
    if (this.#collected.length >= MOST_TRACED) {
      this.#omitted += 1;
      return;
    }
    this.#collected.push(answer);
    this.#timer ??= setTimeout(() => this.#flushOld(), BATCH_MILLISECONDS).unref();
  }

  /** Those wait once more whose phase `end` may come yet. */
  #flushOld(): void {
    const since = performance.now() - BATCH_MILLISECONDS;
    const isYoung = ({ timeline, until }: TracedAnswer) => !timeline.isOver && until > since;
    const young = this.#collected.filter(isYoung);
    this.#collected = this.#collected.filter((answer) => !isYoung(answer));
    this.flush();
    for (const answer of young) {
      this.report(answer);
    }
  }

  /** Hands on what there is. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const collected = this.#collected;
    const omitted = this.#omitted;
    if (collected.length + omitted > 0) {
      this.#collected = [];
      this.#omitted = 0;
      const origin = Date.now() - performance.now();
      this.#serving.report(
        collected.map((answer) => tracedRequest(answer, this.#driver, origin)),
        omitted,
      );
    }
  }
}

/** @param origin milliseconds since 1970 at the zero of `performance.now()`. */
function tracedRequest(answer: TracedAnswer, driver: DriverName, origin: number): TracedRequest {
  const { span, timeline, until, error, requestId, status } = answer;
  const { traceId, spanId, parentSpanId, traceState } = span;
  return {
    ...{ traceId, spanId, parentSpanId, requestId, driver, status },
    // A part of it would be a wrong one.
    traceState: (traceState ?? '').length > LONGEST.traceState ? undefined : traceState,
    function: answer.function?.slice(0, LONGEST.name),
    strategy: answer.strategy,
    instance: answer.instance,
    method: answer.method.slice(0, LONGEST.name),
    // What is behind the path may be secret.
    url: answer.url.replace(/\?.*/s, '').slice(0, LONGEST.url),
    ...(error === undefined ? {} : { error: shownError(error) }),
    start: origin + timeline.start,
    end: origin + until,
    phases: intervalsOf(timeline, until).map(({ name, start, end }) => ({
      name,
      start: origin + start,
      end: origin + end,
    })),
    guestMilliseconds: timeline.guest,
  };
}

/** What an error says is without secrets: the fabric takes them out where it makes it. */
function shownError(error: unknown): NonNullable<TracedRequest['error']> {
  const { code, message, details } = HatcheryError.from(error);
  const place = details.trace ?? details.where ?? details.text;
  const isThrown = code === 'FUNCTION_THREW';
  return {
    code,
    type: (isThrown ? String(details.name) : code).slice(0, LONGEST.name),
    message: (isThrown ? String(details.message) : message).slice(0, LONGEST.message),
    ...(place === undefined ? {} : { where: String(place).slice(0, LONGEST.place) }),
  };
}
