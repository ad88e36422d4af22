/** A receiver of spans as OTLP's JSON has them, which takes nothing else. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';

const VALUE = v.union([
  v.strictObject({ stringValue: v.string() }),
  v.strictObject({ intValue: v.number() }),
  v.strictObject({ doubleValue: v.number() }),
  v.strictObject({ boolValue: v.boolean() }),
]);
const ATTRIBUTES = v.array(v.strictObject({ key: v.string(), value: VALUE }));
const NANOSECONDS = v.pipe(v.string(), v.regex(/^\d{19}$/));
const hex = (length: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`)));
const SPAN = v.strictObject({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: v.optional(hex(16)),
  traceState: v.optional(v.string()),
  name: v.string(),
  kind: v.picklist([1, 2]),
  startTimeUnixNano: NANOSECONDS,
  endTimeUnixNano: NANOSECONDS,
  attributes: ATTRIBUTES,
  events: v.array(
    v.strictObject({
      name: v.string(),
      timeUnixNano: NANOSECONDS,
      attributes: ATTRIBUTES,
      droppedAttributesCount: v.literal(0),
    }),
  ),
  links: v.pipe(v.array(v.unknown()), v.length(0)),
  status: v.strictObject({ code: v.picklist([0, 2]), message: v.optional(v.string()) }),
  droppedAttributesCount: v.literal(0),
  droppedEventsCount: v.literal(0),
  droppedLinksCount: v.literal(0),
  flags: v.optional(v.number()),
});
const BODY = v.strictObject({
  resourceSpans: v.array(
    v.strictObject({
      resource: v.looseObject({ attributes: ATTRIBUTES }),
      scopeSpans: v.array(
        v.looseObject({
          scope: v.strictObject({ name: v.string(), version: v.string() }),
          spans: v.array(SPAN),
        }),
      ),
    }),
  ),
});

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly name: string;
  /** 1: internal; 2: server. */
  readonly kind: number;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { name: string; attributes: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code: number; readonly message?: string | undefined };
  /** Of its resource. */
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: { readonly name: string; readonly version: string };
}

export class Receiver {
  readonly spans: ReceivedSpan[] = [];
  /** What was not as it should be. */
  readonly problems: string[] = [];
  /** Of each export. */
  readonly headers: IncomingMessage['headers'][] = [];
  /** Answers an export that is right; it may do so late, or never. */
  answer = (response: ServerResponse): void => {
    response.end('{}');
  };
  readonly #server = createServer((request, response) => this.#receive(request, response));

  /** @returns what `OTEL_EXPORTER_OTLP_ENDPOINT` is to be. */
  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Those of one request: the server's span, and those of its phases in order. */
  treeOf(requestId: string): ReceivedSpan[] {
    const server = this.spans.find(
      ({ attributes }) => attributes['hatchery.request.id'] === requestId,
    );
    const phases = this.spans.filter(({ parentSpanId }) => parentSpanId === server?.spanId);
    return server === undefined ? [] : [server, ...phases];
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method, url, headers } = request;
    this.headers.push(headers);
    try {
      const is = `${method} ${url} ${headers['content-type']}`;
      if (is !== 'POST /v1/traces application/json') {
        throw new Error(is);
      }
      for (const { resource, scopeSpans } of v.parse(BODY, JSON.parse(body)).resourceSpans) {
        const of = recordOf(resource.attributes);
        for (const { scope, spans } of scopeSpans) {
          this.spans.push(...spans.map((span) => readSpan(span, of, scope)));
        }
      }
      response.setHeader('content-type', 'application/json');
      this.answer(response);
    } catch (error) {
      this.problems.push(String(error));
      response.writeHead(400).end();
    }
  }
}

function readSpan(
  span: v.InferOutput<typeof SPAN>,
  resource: ReceivedSpan['resource'],
  scope: ReceivedSpan['scope'],
): ReceivedSpan {
  const { traceId, spanId, parentSpanId, traceState, name, kind, status } = span;
  return {
    ...{ traceId, spanId, parentSpanId, traceState, name, kind, status, resource, scope },
    start: Number(span.startTimeUnixNano) / 1e6,
    end: Number(span.endTimeUnixNano) / 1e6,
    attributes: recordOf(span.attributes),
    events: span.events.map((event) => ({
      name: event.name,
      attributes: recordOf(event.attributes),
    })),
  };
}

function recordOf(attributes: v.InferOutput<typeof ATTRIBUTES>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
