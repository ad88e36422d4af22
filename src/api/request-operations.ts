/** What became of single requests. */
import { Type } from '@sinclair/typebox';
import { operation } from './operation.js';
import { Closed, Phases, UsageFacts } from './shared-schemas.js';

const OUTCOMES = ['served', 'refused', 'killed', 'crashed'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

const RequestFacts = Closed({
  requestId: Type.String(),
  outcome: Type.Unsafe<OutcomeName>(Type.Union(OUTCOMES.map((name) => Type.Literal(name)))),
  at: Type.Number({ description: 'Milliseconds since 1970, at its end.' }),
  function: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String({ description: 'Of the spawn API.' })),
  method: Type.String(),
  status: Type.Integer(),
  code: Type.Optional(Type.String({ description: 'Of the error.' })),
  reason: Type.Optional(Type.String()),
  where: Type.Optional(Type.String({ description: 'The place of a crash, or its trace.' })),
  timeline: Phases,
  usage: Type.Optional(UsageFacts),
});

export const getRequest = operation({
  id: 'getRequest',
  method: 'GET',
  path: '/v1/requests/:id',
  tag: 'Requests',
  summary: 'How a request ended, and where its time went',
  description:
    'By the X-Request-Id of its response. Each worker keeps its last 4,096 requests, in memory. The phase ' +
    'end and the memory used are there once its instance is gone, shortly after the response as a rule.',
  access: 'read',
  params: Closed({ id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) }),
  status: 200,
  response: RequestFacts,
  errors: ['REQUEST_UNKNOWN'],
  examples: [
    { summary: 'A late one', params: { id: '{request}' }, status: 200 },
    { summary: 'One that there is not', params: { id: 'nobody-1' }, status: 404 },
  ],
});
