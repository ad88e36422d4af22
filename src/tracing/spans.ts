/** From a traced request to the spans of OpenTelemetry: the server's, and one below it for each phase. */
import {
  type Attributes,
  type HrTime,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { RandomIdGenerator, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { TracedRequest } from '../supervisor/traced-requests.js';
import { traceStateOf } from './trace-state.js';

const ids = new RandomIdGenerator();

/** Methods by their own name; others are `_OTHER`, as anybody may make one up. */
const METHODS = new Set([...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'QUERY']]);
const SERVER_ERROR = 500;
const URL_PARTS = /^(https?):\/\/(\[[^\]]*\]|[^:/]*)(?::(\d+))?(\/.*)?$/s;

/** What the spans of one process have in common. */
export interface SpanOrigin {
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
}

/** The server's span, then those of the phases. */
export function spansOf(request: TracedRequest, origin: SpanOrigin): ReadableSpan[] {
  const { traceId, spanId, parentSpanId, traceState, phases, start, end } = request;
  const trace = {
    ...{ traceId, traceFlags: TraceFlags.SAMPLED },
    ...(traceState === undefined ? {} : { traceState: traceStateOf(traceState) }),
  };
  const context = { ...trace, spanId };
  const parent = parentSpanId && { ...trace, spanId: parentSpanId, isRemote: true };
  const server = span(origin, {
    ...{ name: nameOf(request), kind: SpanKind.SERVER, context, parent: parent || undefined },
    ...{ start, end, attributes: attributesOf(request), status: statusOf(request) },
    events: eventsOf(request),
  });
  const children = phases.map((phase) =>
    span(origin, {
      ...{ name: phase.name, kind: SpanKind.INTERNAL, parent: context },
      context: { ...trace, spanId: ids.generateSpanId() },
      ...{ start: phase.start, end: phase.end, status: { code: SpanStatusCode.UNSET }, events: [] },
      attributes: phase.name === 'guest' ? guestAttributes(request) : {},
    }),
  );
  return [server, ...children];
}

interface SpanParts {
  readonly name: string;
  readonly kind: SpanKind;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly status: SpanStatus;
  readonly events: ReadableSpan['events'];
}

function span(origin: SpanOrigin, parts: SpanParts): ReadableSpan {
  const { name, kind, context, parent, start, attributes, status, events } = parts;
  const end = Math.max(start, parts.end);
  return {
    ...origin,
    ...{ name, kind, attributes, status, events, links: [], ended: true },
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: parent }),
    ...{ startTime: timeOf(start), endTime: timeOf(end), duration: timeOf(end - start) },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

function timeOf(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1e3);
  return [seconds, Math.round((milliseconds - seconds * 1e3) * 1e6)];
}

function knownMethod(method: string): string | undefined {
  return METHODS.has(method) ? method : undefined;
}

function nameOf({ method, function: name }: TracedRequest): string {
  const verb = knownMethod(method) ?? 'HTTP';
  return name === undefined ? verb : `${verb} ${name}`;
}

/** By the semantic conventions for HTTP servers, and what is Hatchery's own. */
function attributesOf(request: TracedRequest): Attributes {
  const { method, status, url, function: name, driver, strategy, requestId, error } = request;
  const [, scheme, address, port, path = '/'] = URL_PARTS.exec(url) ?? [];
  const known = knownMethod(method);
  return withoutUndefined({
    'http.request.method': known ?? '_OTHER',
    'http.request.method_original': known === undefined ? method : undefined,
    'http.response.status_code': status,
    'url.scheme': scheme,
    'url.path': path,
    'server.address': address,
    'server.port': port === undefined ? undefined : Number(port),
    'error.type': status >= SERVER_ERROR ? (error?.code ?? String(status)) : undefined,
    'hatchery.function': name,
    'hatchery.driver': driver,
    'hatchery.strategy': strategy,
    'hatchery.instance.id': request.instance,
    'hatchery.request.id': requestId,
    'hatchery.error.code': error?.code,
  });
}

function guestAttributes({ guestMilliseconds }: TracedRequest): Attributes {
  return withoutUndefined({ 'hatchery.guest.running_ms': guestMilliseconds });
}

/** What a client did wrong is no error of the server's. */
function statusOf({ status, error }: TracedRequest): SpanStatus {
  return status < SERVER_ERROR
    ? { code: SpanStatusCode.UNSET }
    : { code: SpanStatusCode.ERROR, ...(error === undefined ? {} : { message: error.message }) };
}

function eventsOf({ error, end }: TracedRequest): ReadableSpan['events'] {
  if (error === undefined) {
    return [];
  }
  const attributes = withoutUndefined({
    'exception.type': error.type,
    'exception.message': error.message,
    'exception.stacktrace': error.where,
  });
  return [{ name: 'exception', time: timeOf(end), attributes }];
}

function withoutUndefined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
