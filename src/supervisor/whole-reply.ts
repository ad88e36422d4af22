/** Requests that come as messages: their answers go as messages, too, and so as a whole. */
import { HatcheryError } from '../errors.js';
import { isWhole, type Reply } from '../fabric/message.js';
import type { RequestParts } from '../fabric/web.js';
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
}

/** @throws HatcheryError RESPONSE_BODY_TOO_LARGE, and as `answer` */
export async function wholeReply(
  { request, function: name, instance, chronicle }: Asked,
  answer: (parts: RequestParts, timeline: Timeline) => Promise<Reply>,
): Promise<InstanceReply> {
  const { requestId, method, url, headers } = request;
  const body = Buffer.from(request.body, 'base64');
  const timeline = new Timeline();
  const tell = (status: number, error?: unknown) => {
    const { usage } = timeline;
    const answered = { requestId, function: name, method, status, timeline, usage };
    chronicle.answered(error === undefined ? answered : { ...answered, error }, instance);
  };
  try {
    const reply = await answer({ method, url, headers, body, id: requestId }, timeline);
    const bytes = await collect(reply);
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
