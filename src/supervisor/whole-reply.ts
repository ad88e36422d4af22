/** Requests that come as messages: their answers go as messages, too, and so as a whole. */

import type { Strategy } from '../drivers/driver.js';
import { HatcheryError } from '../errors.js';
import { isWhole, type Reply } from '../fabric/message.js';
import type { RequestParts } from '../fabric/web.js';
import { beginSpan, type Tracing } from '../front/tracing.js';
import { Timeline } from '../timeline.js';
import type { Chronicle } from './chronicle.js';
import { type InstanceReply, type InstanceRequest, MAX_REPLY_BYTES } from './instance-orders.js';

export interface Asked {
  readonly request: InstanceRequest;
  /** The name of the function. */
  readonly function: string;
  /** The id of a spawned instance; `undefined`: the request gets an instance of its own. */
  readonly instance?: string;
  /** Gets how the request ended. */
  readonly chronicle: Chronicle;
  readonly strategy: Strategy;
  /** Gets the request, where it is traced. */
  readonly tracing: Tracing | undefined;
}

/** @throws HatcheryError RESPONSE_BODY_TOO_LARGE, and as `answer` */
export async function wholeReply(
  { request, function: name, instance, chronicle, strategy, tracing }: Asked,
  answer: (parts: RequestParts, timeline: Timeline) => Promise<Reply>,
): Promise<InstanceReply> {
  const { requestId, method, url } = request;
  const begun = tracing && beginSpan(request.headers, tracing.sampling);
  const headers = begun?.headers ?? request.headers;
  const body = Buffer.from(request.body, 'base64');
  const timeline = new Timeline();
  const tell = (status: number, error?: unknown) => {
    const answered = { requestId, function: name, method, status, timeline };
    chronicle.answered(error === undefined ? answered : { ...answered, error }, instance);
    if (begun?.span.isSampled === true) {
      const until = performance.now();
      const { span } = begun;
      const spawned = instance === undefined ? {} : { instance };
      tracing?.report({ ...answered, ...spawned, error, span, strategy, url, until });
    }
  };
  try {
    const reply = await answer({ method, url, headers, body, id: requestId }, timeline);
    const bytes = await collect(reply);
    timeline.replyStart = performance.now();
    timeline.reply ??= 0;
    tell(reply.status);
    return {
      ...{ requestId, status: reply.status, headers: reply.headers },
      ...{ body: bytes.toString('base64'), timeline: timeline.toJSON() },
      usage: timeline.usage,
    };
  } catch (error) {
    const known = HatcheryError.from(error);
    known.requestId ??= requestId;
    tell(known.status, known);
    throw known;
  }
}

async function collect({ body }: Reply): Promise<Buffer> {
  if (isWhole(body)) {
    checkSize(body.length);
    return body;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early ends the instance, whose answer nobody can have.
  for await (const chunk of body) {
    bytes += chunk.length;
    checkSize(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function checkSize(bytes: number): void {
  if (bytes > MAX_REPLY_BYTES) {
    throw new HatcheryError('RESPONSE_BODY_TOO_LARGE', { limit: MAX_REPLY_BYTES });
  }
}
