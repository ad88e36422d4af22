/**
 * The thread that exports spans: so that a receiver that is slow, or is not there, holds nothing up, and
 * nothing of an export is left when its time is over.
 */
import { parentPort } from 'node:worker_threads';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { TracedRequest } from '../supervisor/traced-requests.js';
import { spansOf } from './spans.js';

export type ToThread =
  | { readonly type: 'begin'; readonly version: string }
  | { readonly type: 'export'; readonly requests: readonly TracedRequest[] }
  /** Whatever is there is to be exported; then it ends. */
  | { readonly type: 'close' };

export type FromThread =
  /** The last `export` was taken. */
  | { readonly type: 'taken' }
  | { readonly type: 'problem'; readonly text: string }
  | { readonly type: 'closed' };

const port = parentPort as NonNullable<typeof parentPort>;
const send = (message: FromThread) => port.postMessage(message);

/** What the SDK says of exports that fail. It says it of each, so whoever hears it has to count. */
const problem = (text: string) => send({ type: 'problem', text });
diag.setLogger(
  { error: problem, warn: problem, info: () => {}, debug: () => {}, verbose: () => {} },
  DiagLogLevel.WARN,
);

const processor = new BatchSpanProcessor(new OTLPTraceExporter());
let origin: Parameters<typeof spansOf>[1];

function begin(version: string): void {
  const own = resourceFromAttributes({ 'service.name': 'hatchery', 'service.version': version });
  // What the environment says counts most.
  const resource = defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
  origin = { resource, instrumentationScope: { name: 'hatchery', version } };
}

port.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'begin':
      begin(message.version);
      return;
    case 'export':
      for (const request of message.requests) {
        for (const span of spansOf(request, origin)) {
          processor.onEnd(span);
        }
      }
      send({ type: 'taken' });
      return;
    case 'close':
      processor
        .shutdown()
        .catch((error: unknown) => problem(String(error)))
        .finally(() => send({ type: 'closed' }));
  }
});
