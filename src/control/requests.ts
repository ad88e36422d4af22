/** Requests to functions and instances, and their answers, between JSON and bytes. */
import { isUtf8 } from 'node:buffer';
import type { BodyOf, ResponseOf } from '../api/operation.js';
import type { Operations } from '../api/operations.js';
import { HatcheryError } from '../errors.js';
import { FORBIDDEN_METHODS } from '../fabric/message.js';
import type { InstanceReply, InstanceRequest } from '../supervisor/instance-orders.js';

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** No control characters; what is beyond Latin-1 has no bytes in a header. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * @param requestId of the API's request, which this one's is as well.
 * @param origin of URLs that name none.
 * @throws HatcheryError CONFIGURATION_INVALID with the field's path
 */
export function requestOf(
  body: BodyOf<Operations['requestInstance']>,
  requestId: string,
  origin: string,
): InstanceRequest {
  const { method = 'GET', headers = [] } = body;
  if (FORBIDDEN_METHODS.has(method)) {
    throw invalid('method', 'is not one that a request may have');
  }
  if (body.body !== undefined && body.bodyBase64 !== undefined) {
    throw invalid('bodyBase64', 'goes not with body');
  }
  for (const [index, [name, value]] of headers.entries()) {
    if (!HEADER_NAME.test(name)) {
      throw invalid(`headers.${index}.0`, 'is not the name of a header');
    }
    if (!HEADER_VALUE.test(value)) {
      throw invalid(`headers.${index}.1`, 'has characters that no header has');
    }
  }
  const bytes = body.bodyBase64 ?? Buffer.from(body.body ?? '').toString('base64');
  const names = headers.flatMap(([name, value]) => [name.toLowerCase(), value]);
  return { requestId, method, url: urlOf(body.url ?? '/', origin), headers: names, body: bytes };
}

function urlOf(url: string, origin: string): string {
  const whole = url.startsWith('/') ? origin + url : url;
  if (!/^https?:\/\//.test(whole) || !URL.canParse(whole)) {
    throw invalid('url', 'is neither a path nor an http URL');
  }
  return new URL(whole).href;
}

export function replyBody(reply: InstanceReply): ResponseOf<Operations['requestInstance']> {
  const { requestId, status, headers, timeline, usage } = reply;
  const bytes = Buffer.from(reply.body, 'base64');
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    pairs.push([headers[index] as string, headers[index + 1] as string]);
  }
  return {
    ...{ requestId, status, headers: pairs, timeline: { ...timeline } },
    ...(usage === undefined ? {} : { usage }),
    ...(isUtf8(bytes) ? { body: bytes.toString('utf8') } : { bodyBase64: reply.body }),
  };
}

function invalid(path: string, problem: string): HatcheryError {
  return new HatcheryError('CONFIGURATION_INVALID', { path, problem });
}
