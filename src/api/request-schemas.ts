/** Requests as JSON, and their answers. */
import { Type } from '@sinclair/typebox';
import { Closed, Phases, UsageFacts } from './shared-schemas.js';

const HeaderList = Type.Array(Type.Tuple([Type.String(), Type.String()]));

const Base64 = Type.String({
  pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
});

/** Of a request as JSON. */
export const REQUEST_BYTES = 16 * 1024 * 1024;

/** @param host of URLs that name none. */
export function RequestBody(host: string) {
  return Closed({
    method: Type.Optional(Type.String({ pattern: '^[A-Z]{1,32}$', description: 'Default: GET.' })),
    url: Type.Optional(
      Type.String({
        description: `A path, or absolute (http, https). Default: /, of the host \`${host}\`.`,
      }),
    ),
    headers: Type.Optional(HeaderList),
    body: Type.Optional(Type.String({ description: 'Text; goes as UTF-8.' })),
    bodyBase64: Type.Optional(Base64),
  });
}

export const ReplyBody = Closed({
  requestId: Type.String(),
  status: Type.Integer(),
  headers: HeaderList,
  body: Type.Optional(Type.String({ description: 'Where it is UTF-8.' })),
  bodyBase64: Type.Optional(Type.String({ description: 'Where it is not.' })),
  timeline: Phases,
  usage: Type.Optional(UsageFacts),
});

/** An example of a request with a header and a body. */
export const POSTED_ITEM = {
  method: 'POST',
  url: '/items?x=1',
  headers: [['content-type', 'application/json']],
  body: '{"name":"x"}',
};
