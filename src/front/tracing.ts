/** The part of a front in distributed traces: each request is a span of its own there. */
import type { Strategy } from '../drivers/driver.js';
import type { Timeline } from '../timeline.js';
import { isSampled, type Sampling } from './sampling.js';
import { formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.js';
import { newSpanId, newTraceId } from './trace-ids.js';

/** The server's span of one request. */
export interface RequestSpan extends TraceContext {
  /** Of whoever sent the request; `undefined` where the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
}

/** A request that is to be told of. */
export interface TracedAnswer {
  readonly span: RequestSpan;
  readonly requestId: string;
  /** `undefined` where the request was for none. */
  readonly function: string | undefined;
  readonly strategy: Strategy | undefined;
  /** The id of a spawned instance. */
  readonly instance?: string;
  readonly method: string;
  /** As the client sent it, absolute. */
  readonly url: string;
  /** Of the response, or of the error. */
  readonly status: number;
  /** As in `Answered`. */
  readonly error: unknown;
  /** Goes on: the phase `end` comes later. */
  readonly timeline: Timeline;
  /** `performance.now()` when it was over. */
  readonly until: number;
}

export interface Tracing {
  readonly sampling: Sampling;
  /** Is told of each traced request when it is over; must neither throw nor take long. */
  report(answer: TracedAnswer): void;
}

/** A request's span, and its headers as whoever answers it gets them. */
export interface Begun {
  readonly span: RequestSpan;
  readonly headers: string[];
}

/**
 * Begins a span: the trace of the request goes on, or a new one begins. The headers that come out name the
 * span as the parent of whatever is done for the request.
 * @param headers name and value in turn, names in lower case.
 */
export function beginSpan(headers: readonly string[], sampling: Sampling): Begun {
  const kept: string[] = [];
  const states: string[] = [];
  const parents: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === 'traceparent') {
      parents.push(value);
    } else if (name === 'tracestate') {
      states.push(value);
    } else {
      kept.push(name, value);
    }
  }
  const [given = ''] = parents;
  const parent = parents.length === 1 ? parseTraceparent(given) : undefined;
  const traceId = parent?.traceId ?? newTraceId();
  // Without its traceparent a tracestate belongs to no trace.
  const traceState = parent !== undefined && states.length > 0 ? states.join(',') : undefined;
  const span = {
    traceId,
    spanId: newSpanId(),
    parentSpanId: parent?.spanId,
    traceState,
    isSampled: isSampled(sampling, traceId, parent?.isSampled),
  };
  kept.push('traceparent', formatTraceparent(span));
  if (traceState !== undefined) {
    kept.push('tracestate', traceState);
  }
  return { span, headers: kept };
}
